import { stat } from 'node:fs/promises';
import { sha256, sha256OfFile } from '../../host/files.ts';
import { type TarMember, tarStream } from '../archives/tar-writer.ts';
import { ARCHIVED_MODE, fileMember } from './file-member.ts';
import type { MachineDisk } from './flatten.ts';

/** What the appliance is like where it is imported. */
export interface Appliance {
  readonly name: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Stream-optimised vmdk images, the root disk first. */
  readonly disks: readonly MachineDisk[];
}

interface ApplianceDisk extends MachineDisk {
  readonly fileName: string;
  readonly fileBytes: number;
}

/** The content of an OVA: a tar with the descriptor first, then the digests, then the disks (DSP0243, section 5.3). */
export async function ova(appliance: Appliance, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const { name } = appliance;
  const disks = await Promise.all(
    appliance.disks.map(async (disk, index): Promise<ApplianceDisk> => {
      return { ...disk, fileName: `${name}-disk${index + 1}.vmdk`, fileBytes: (await stat(disk.path)).size };
    }),
  );
  const descriptor = formatDescriptor(appliance, disks);
  const digests = [`SHA256(${name}.ovf)= ${sha256(descriptor)}\n`];
  for (const { path, fileName } of disks) digests.push(`SHA256(${fileName})= ${await sha256OfFile(path, signal)}\n`);
  const texts: TarMember[] = [
    { name: `${name}.ovf`, content: descriptor, mode: ARCHIVED_MODE },
    { name: `${name}.mf`, content: digests.join(''), mode: ARCHIVED_MODE },
  ];
  return tarStream([...texts, ...(await Promise.all(disks.map(({ path, fileName }) => fileMember(path, fileName))))]);
}

const MIB = 2 ** 20;

/** Resource types of CIM (DSP1027, table "Resource Types"). */
const RESOURCE = { cpu: 3, memory: 4, network: 10, disk: 17, sata: 20 } as const;

interface Hardware {
  readonly type: number;
  readonly name: string;
  /** More elements, by name. */
  readonly settings: Readonly<Record<string, string | number>>;
}

/** An OVF 1 descriptor: devices that VirtualBox and VMware both have. */
function formatDescriptor({ name, cpus, memoryBytes }: Appliance, disks: readonly ApplianceDisk[]): string {
  const megabytes = Math.ceil(memoryBytes / MIB);
  const sataId = 3;
  const hardware: Hardware[] = [
    { type: RESOURCE.cpu, name: `${cpus} CPU`, settings: { VirtualQuantity: cpus } },
    { type: RESOURCE.memory, name: 'memory', settings: { AllocationUnits: 'byte * 2^20', VirtualQuantity: megabytes } },
    { type: RESOURCE.sata, name: 'sata', settings: { Address: 0, ResourceSubType: 'AHCI' } },
    ...disks.map((_, index) => ({
      type: RESOURCE.disk,
      name: `disk ${index + 1}`,
      settings: { AddressOnParent: index, HostResource: `ovf:/disk/vmdisk${index + 1}`, Parent: sataId },
    })),
    {
      type: RESOURCE.network,
      name: 'network',
      settings: { AutomaticAllocation: 'true', Connection: 'NAT', ResourceSubType: 'E1000' },
    },
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
  xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
  <References>
${disks.map(({ fileName, fileBytes }, index) => `    <File ovf:id="file${index + 1}" ovf:href="${fileName}" ovf:size="${fileBytes}"/>`).join('\n')}
  </References>
  <DiskSection>
    <Info>Disks</Info>
${disks.map(({ virtualSizeBytes }, index) => `    <Disk ovf:diskId="vmdisk${index + 1}" ovf:fileRef="file${index + 1}" ovf:capacity="${virtualSizeBytes}" ovf:capacityAllocationUnits="byte" ovf:format="${STREAM_VMDK}"/>`).join('\n')}
  </DiskSection>
  <NetworkSection>
    <Info>Networks</Info>
    <Network ovf:name="NAT"><Description>A network with a way out</Description></Network>
  </NetworkSection>
  <VirtualSystem ovf:id="${name}">
    <Info>A machine</Info>
    <Name>${name}</Name>
    <OperatingSystemSection ovf:id="101">
      <Info>The guest's system</Info>
      <Description>Linux, 64 bit</Description>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>Devices</Info>
      <System>
        <vssd:ElementName>Virtual hardware</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>${name}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-11</vssd:VirtualSystemType>
      </System>
${hardware.map((item, index) => formatItem(item, index + 1)).join('\n')}
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
`;
}

const STREAM_VMDK = 'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized';

/** An item's elements stand in the order of the alphabet, as its schema asks for. */
function formatItem({ type, name, settings }: Hardware, id: number): string {
  const elements = { ...settings, ElementName: name, InstanceID: id, ResourceType: type };
  const lines = Object.entries(elements)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([element, value]) => `        <rasd:${element}>${value}</rasd:${element}>`);
  return `      <Item>\n${lines.join('\n')}\n      </Item>`;
}
