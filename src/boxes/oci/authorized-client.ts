import type { HttpRequest, HttpResponse } from '../../http/http-client.ts';
import { registryOrigin } from '../../machinefile/oci-reference.ts';
import { Authorizer, type AuthorizerOptions } from './authorizer.ts';
import { type RegistryError, readRefusal } from './registry-error.ts';

export interface RegistryCall extends Pick<HttpRequest, 'url' | 'method' | 'headers'> {
  readonly body?: Uint8Array;
  /** “cannot …”. */
  readonly what: string;
  /** Statuses that are an answer; every other is an error. */
  readonly expects: readonly number[];
}

/** Sends requests to one registry in the name of a user, and turns refusals into errors. */
export class AuthorizedClient {
  readonly #options: AuthorizerOptions;
  readonly #authorizer: Authorizer;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#authorizer = new Authorizer(options);
  }

  /** @throws RegistryError for other statuses than expected; HttpError; InterruptedError. */
  async call(call: RegistryCall): Promise<HttpResponse> {
    const sent = this.#authorizer.current;
    const response = await this.#send(call, sent);
    if (call.expects.includes(response.status)) return response;
    const refusal = await this.#readRefusal(call, response);
    if (response.status !== 401) throw refusal;
    const renewed = await this.#authorizer.renew(response.headers['www-authenticate'], sent);
    if (renewed === undefined) throw refusal;
    const second = await this.#send(call, renewed);
    if (call.expects.includes(second.status)) return second;
    throw await this.#readRefusal(call, second);
  }

  #readRefusal({ url, what }: RegistryCall, response: HttpResponse): Promise<RegistryError> {
    const { registry, signal } = this.#options;
    return readRefusal(response, { what, registry, url, signal });
  }

  #send({ url, method, headers, body }: RegistryCall, authorization: string | undefined): Promise<HttpResponse> {
    const { client, signal, registry } = this.#options;
    // Uploads may go to a storage service, which has its own signature in the URL.
    const isOwn = new URL(url).origin === new URL(registryOrigin(registry)).origin;
    return client.request({
      url,
      signal,
      headers: { ...headers, ...(authorization !== undefined && isOwn && { authorization }) },
      ...(method !== undefined && { method }),
      ...(body !== undefined && { body }),
    });
  }
}
