/**
 * The results of `work` in the order of the items, with up to `atOnce` of them under way. Once one fails, or the reader
 * stops, no other is begun, and all that were have ended.
 */
export async function* mapAhead<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      // Whoever waits for an earlier one has not come to this one's failure yet.
      result.catch(() => {});
      running.push(result);
      if (running.length === atOnce) yield await (running.shift() as Promise<R>); // there is one
    }
    while (running.length > 0) yield await (running.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(running);
  }
}
