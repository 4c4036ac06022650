import { VmError } from '../../errors.ts';
import type { HttpResponse } from '../../http/http-client.ts';
import { HttpConnectionError, HttpError, HttpStatusError, type ResponseHead } from '../../http/http-errors.ts';
import { receiveBytes } from './receive-bytes.ts';

export interface Refusal {
  /** “cannot …”. */
  readonly what: string;
  readonly registry: string;
  readonly url: string;
  /** The registry's own words, made printable. */
  readonly reason: string | undefined;
}

/** A registry, or the token server that it sends to, does not do what was asked. */
export class RegistryError extends HttpStatusError {
  override readonly hint: string;

  constructor(head: ResponseHead, { what, registry, url, reason }: Refusal) {
    super(url, head);
    this.message = `cannot ${what}: ${[this.statusText, reason].filter((part) => part !== undefined).join(': ')}`;
    this.hint = hintFor(head.status, registry);
  }
}

function hintFor(status: number, registry: string): string {
  if (status === 401) return `vm box login ${registry}`;
  if (status === 403) return `vm box login ${registry}, as somebody who may do this`;
  if (status === 404) return 'check the name and the tag';
  if (status >= 500 || status === 408 || status === 429) return 'try again later';
  return 'what stands behind the status is what the registry says of it';
}

const MAX_ANSWER_BYTES = 64 * 1024;

/** Reads why a registry refused. @throws HttpConnectionError if that does not come whole; InterruptedError. */
export async function readRefusal(
  response: HttpResponse,
  { what, registry, url, signal }: Omit<Refusal, 'reason'> & { readonly signal: AbortSignal },
): Promise<RegistryError> {
  const answer = await receiveBytes(response, { url, signal, maxBytes: MAX_ANSWER_BYTES }).catch((error: unknown) => {
    if (error instanceof HttpError && !(error instanceof HttpConnectionError)) return undefined; // a page for browsers
    throw error;
  });
  return new RegistryError(response, { what, registry, url, reason: answer && findReason(answer.toString()) });
}

const SHOWN_ERRORS = 3;
const SHOWN_LENGTH = 300;

/** `CODE: message` of each error (OCI distribution specification 1.1, "Error Codes"); undefined in other answers. */
export function findReason(answer: string): string | undefined {
  const errors = errorsIn(answer).slice(0, SHOWN_ERRORS);
  const reasons = errors.map(({ code, message }) =>
    [code, message].filter((part) => typeof part === 'string').join(': '),
  );
  const reason = reasons.filter((text) => text !== '').join(', ');
  // Whatever it says must not steer the terminal.
  return reason === '' ? undefined : reason.slice(0, SHOWN_LENGTH).replaceAll(/\p{Cc}/gu, ' ');
}

function errorsIn(answer: string): readonly { readonly code?: unknown; readonly message?: unknown }[] {
  try {
    const { errors } = JSON.parse(answer) as { errors?: unknown }; // `null` throws, like what is not JSON
    return Array.isArray(errors) ? errors.filter((error) => typeof error === 'object' && error !== null) : [];
  } catch {
    return [];
  }
}

/** A registry breaks the rules of its protocol, or gives something else than it should. */
export function misbehaves(registry: string, how: string): VmError {
  return new VmError(`${registry} ${how}`, { hint: 'the registry is at fault: tell whoever runs it' });
}
