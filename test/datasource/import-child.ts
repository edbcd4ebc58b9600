/** A process that imports, to be killed: `node import-child.ts <folder> <start> <lines>`. It says when it begins and what it was answered. */
import { importLines } from './import-lines.ts';
import { startPlant } from './plant.ts';

const [folder = '', start = '0', lines = '0'] = process.argv.slice(2);
const plant = await startPlant({ devices: [], connections: [] }, { at: folder });
await plant.until('export', ({ status }) => status === 200);
process.stdout.write('begin\n');
const { text } = await plant.ask('import', {
  method: 'POST',
  body: importLines(Number(start), Number(lines)),
  headers: { 'content-type': 'text/csv' },
});
process.stdout.write(`${text}\n`);
await plant.close();
