import type { HttpClient, HttpResponse } from '../../http/http-client.ts';
import { findText } from '../vagrant/json-document.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { parseSecretJson } from './json-fields.ts';
import { receiveBytes } from './receive-bytes.ts';
import { misbehaves, readRefusal } from './registry-error.ts';
import { basicHeader, tokenRequest } from './token-request.ts';

export interface AuthorizerOptions {
  readonly registry: string;
  /** What is asked for, as in `repository:team/app:pull,push`; absent: only to be known. */
  readonly scope: string | undefined;
  readonly client: HttpClient;
  readonly signal: AbortSignal;
  /** Called only once the registry wants to know. */
  readonly findCredentials: () => Promise<Credentials | undefined>;
}

const MAX_ANSWER_BYTES = 1024 * 1024;

/** Gives the `Authorization` header for one registry and one scope, and keeps it as long as the registry takes it. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  #current: string | undefined;
  #renewal: Promise<string | undefined> | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** Undefined until the registry has asked. */
  get current(): string | undefined {
    return this.#current;
  }

  /**
   * What to send after the registry refused `refused`; undefined if there is nothing else.
   * @throws RegistryError if the token server does; VmError if a helper for credentials fails; InterruptedError.
   */
  async renew(challenge: string | undefined, refused: string | undefined): Promise<string | undefined> {
    // Another request was refused before, and what it got is not known to be.
    if (this.#current !== refused) return this.#current;
    this.#renewal ??= this.#answer(parseChallenges(challenge ?? '')).finally(() => {
      this.#renewal = undefined;
    });
    this.#current = await this.#renewal;
    return this.#current;
  }

  async #answer(challenges: readonly Challenge[]): Promise<string | undefined> {
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    const isBasic = challenges.some(({ scheme }) => scheme === 'basic');
    if (bearer === undefined && !isBasic) return undefined;
    const credentials = await this.#options.findCredentials();
    if (bearer !== undefined) return `Bearer ${await this.#fetchToken(bearer, credentials)}`;
    return credentials?.kind === 'password' ? basicHeader(credentials) : undefined;
  }

  async #fetchToken(challenge: Challenge, credentials: Credentials | undefined): Promise<string> {
    const { registry, scope, client, signal } = this.#options;
    const request = tokenRequest(challenge, { registry, scope, credentials });
    return this.#readToken(request.url, await client.request({ ...request, signal }));
  }

  async #readToken(url: string, response: HttpResponse): Promise<string> {
    const { registry, signal } = this.#options;
    const { host } = new URL(url);
    if (response.status !== 200) {
      throw await readRefusal(response, { what: `log in to ${registry} at ${host}`, registry, url, signal });
    }
    const text = (await receiveBytes(response, { url, signal, maxBytes: MAX_ANSWER_BYTES })).toString();
    const answer = parseSecretJson(text, { shownAs: `the answer of ${host}`, hint: `it should let into ${registry}` });
    const token = findText(answer, 'token') ?? findText(answer, 'access_token');
    if (token === undefined || !PRINTABLE.test(token)) throw misbehaves(host, `gives no token for ${registry}`);
    return token;
  }
}

/** RFC 6750, 2.1, allows fewer characters still. */
const PRINTABLE = /^[!-~]+$/;
