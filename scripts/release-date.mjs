/** The day a build counts as made on: that of its last commit, so that the same source gives the same bytes on any day. */
import { execFileSync } from 'node:child_process';

/** A Date. SOURCE_DATE_EPOCH (seconds) goes before the last commit; without git it is now. */
export function releaseDate(root) {
  const said = process.env.SOURCE_DATE_EPOCH ?? lastCommit(root);
  return said === undefined ? new Date() : new Date(Number(said) * 1000);
}

function lastCommit(root) {
  try {
    return execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
