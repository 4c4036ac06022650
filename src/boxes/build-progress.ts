/** Turns what mmdebstrap and the programs it starts print into a line for somebody who waits. */
export class InstallProgress {
  #activity = '';
  #done = 0;
  #total = 0;

  /** What goes on now; undefined where the line says nothing new. */
  read(line: string): string | undefined {
    const step = /^I: (.*?)\.*$/.exec(line)?.[1];
    if (step !== undefined) return step;
    const announced = /^\d+ upgraded, (\d+) newly installed/.exec(line)?.[1];
    if (announced !== undefined) this.#total = Number(announced);
    if (/^Get:\d+ .*\]$/.test(line)) return this.#count('downloading packages');
    if (/^Setting up /.test(line)) return this.#count('setting up packages');
    return undefined;
  }

  #count(activity: string): string {
    this.#done = activity === this.#activity ? this.#done + 1 : 1;
    this.#activity = activity;
    return this.#done <= this.#total ? `${activity}: ${this.#done} of ${this.#total}` : activity;
  }
}
