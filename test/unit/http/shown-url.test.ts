import { expect, test } from 'vitest';
import { shownUrl } from '../../../src/http/shown-url.ts';

test.each([
  ['https://a.test/x.qcow2', 'https://a.test/x.qcow2'],
  ['https://ann:secret@a.test:8443/x', 'https://a.test:8443/x'],
  ['https://a.test/x?sig=secret#top', 'https://a.test/x?…'],
  ['no URL', 'no URL'],
])('%s is shown as %s', (url, shown) => {
  expect(shownUrl(url)).toBe(shown);
});
