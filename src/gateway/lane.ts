/** Waiting jobs of one priority: first in, first out within a unit, one after the other among units, so that nobody is forgotten. */
export class Lane<J extends { readonly unit: string }> {
  // A Map keeps insertion order: a unit that was served goes to the end.
  readonly #units = new Map<string, J[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(job: J): void {
    const jobs = this.#units.get(job.unit);
    if (jobs) jobs.push(job);
    else this.#units.set(job.unit, [job]);
    this.#size += 1;
  }

  take(): J | undefined {
    for (const [unit, jobs] of this.#units) {
      this.#units.delete(unit);
      const job = jobs.shift();
      if (job === undefined) continue;
      if (jobs.length > 0) this.#units.set(unit, jobs);
      this.#size -= 1;
      return job;
    }
    return undefined;
  }

  /** True if it was still waiting. */
  remove(job: J): boolean {
    const jobs = this.#units.get(job.unit);
    const at = jobs?.indexOf(job) ?? -1;
    if (jobs === undefined || at < 0) return false;
    jobs.splice(at, 1);
    if (jobs.length === 0) this.#units.delete(job.unit);
    this.#size -= 1;
    return true;
  }

  /** Takes out everything that waits for a unit. */
  drain(unit: string): J[] {
    const jobs = this.#units.get(unit) ?? [];
    this.#units.delete(unit);
    this.#size -= jobs.length;
    return jobs;
  }
}
