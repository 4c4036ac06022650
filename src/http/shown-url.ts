/** A URL without what may be secret: user, password, and the query, which holds the signature of many storage services. */
export function shownUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const { protocol, host, pathname, search } = new URL(text);
  return `${protocol}//${host}${pathname}${search && '?…'}`;
}
