import { contentVersion } from '../../boxes/importing/content-version.ts';
import { hasChanged, hasChecksum } from '../../boxes/importing/download-facts.ts';
import type { OciTools } from '../../boxes/importing/import-oci.ts';
import { fileNameIn } from '../../boxes/importing/source-text.ts';
import { findChecksum } from '../../boxes/importing/wanted-checksum.ts';
import type { WantedChecksum } from '../../http/checksum.ts';
import { compareVersions, isVersion } from '../../machinefile/versions.ts';
import type { CurrentBox, Offer } from './offer.ts';

export interface OfferedFile {
  readonly url: string;
  readonly checksum: WantedChecksum | undefined;
  /** What a catalog calls the file that is there now. */
  readonly version: string | undefined;
}

/**
 * Whether a server has another file by now: by its list of checksums, or by what it says of the file's age.
 * @throws VmError if the list does not have it; HttpError if a server cannot be asked; InterruptedError.
 */
export async function offerOfFile(file: OfferedFile, current: CurrentBox, tools: OciTools): Promise<Offer> {
  return file.checksum === undefined
    ? offerByAge(file.url, current, tools)
    : offerByChecksum({ ...file, checksum: file.checksum }, current, tools);
}

async function offerByChecksum(
  { url, checksum, version }: OfferedFile & { readonly checksum: WantedChecksum },
  current: CurrentBox,
  tools: OciTools,
): Promise<Offer> {
  const found = await findChecksum(checksum, fileNameIn(url), tools);
  if (found === undefined) throw new Error('a checksum that is wanted is found, or it is an error');
  const isSame = await hasChecksum(current.sha256, found, tools.memory);
  if (isSame) return { available: current.version, newest: undefined, isOther: false };
  const available = version ?? (found.algorithm === 'sha256' ? contentVersion(found.hex) : undefined);
  if (isSame === false) return { available, newest: undefined, isOther: true };
  if (version !== undefined && isVersion(current.version)) {
    return { available, newest: undefined, isOther: compareVersions(version, current.version) > 0 };
  }
  const reason = `its server lists only a ${found.algorithm}, and the box was not downloaded here`;
  return { available, newest: undefined, isOther: { reason } };
}

async function offerByAge(url: string, { sha256, version }: CurrentBox, tools: OciTools): Promise<Offer> {
  const { context, memory } = tools;
  await using client = await tools.openHttp();
  const isOther = await hasChanged({ url, sha256 }, { client, signal: context.signal, memory });
  return {
    available: isOther === false ? version : undefined,
    newest: undefined,
    isOther: isOther ?? { reason: 'it has no checksum, and its server does not tell whether the file has changed' },
  };
}
