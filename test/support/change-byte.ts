import { open } from 'node:fs/promises';

/** Changes a byte of a file; the second time back to what it was. */
export async function changeByte(path: string, offset: number): Promise<void> {
  await using file = await open(path, 'r+');
  const position = Math.floor(offset);
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
  buffer[0] = 255 - (buffer[0] ?? 0);
  await file.write(buffer, 0, 1, position);
}
