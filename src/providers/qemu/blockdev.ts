/** QEMU's option for something that can be behind a drive; JSON takes any path as it is. */
export function blockdev(description: object): string[] {
  return ['-blockdev', JSON.stringify(description)];
}
