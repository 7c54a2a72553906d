/** What is used of the two manifest parsers, which ship without types. Shapes as their version 7 and 1 produce them. */

declare module "m3u8-parser" {
  export interface ByteRange {
    readonly offset: number;
    readonly length: number;
  }
  export interface Key {
    readonly method: string;
    readonly uri: string;
    /** Four big-endian words. */
    readonly iv?: Uint32Array;
  }
  export interface InitSection {
    readonly uri: string;
    readonly byterange?: ByteRange;
    readonly key?: Key;
  }
  export interface Segment {
    readonly uri?: string;
    readonly duration?: number;
    readonly byterange?: ByteRange;
    readonly key?: Key;
    readonly map?: InitSection;
    readonly discontinuity?: boolean;
    /** Where the playlist gives one for this segment. */
    readonly dateTimeObject?: Date;
    /** Counted on from the last one that was given, epoch milliseconds. */
    readonly programDateTime?: number;
  }
  export interface Variant {
    readonly uri?: string;
    readonly attributes?: { readonly BANDWIDTH?: number; readonly CODECS?: string };
  }
  export interface Rendition {
    readonly uri?: string;
  }
  export interface Manifest {
    readonly segments: readonly Segment[];
    readonly playlists?: readonly Variant[];
    readonly mediaGroups?: { readonly AUDIO?: Readonly<Record<string, Readonly<Record<string, Rendition>>>> };
    readonly mediaSequence?: number;
    /** Seconds. */
    readonly targetDuration?: number;
    readonly endList?: boolean;
  }
  export class Parser {
    readonly manifest: Manifest;
    push(text: string): void;
    end(): void;
  }
}

declare module "mpd-parser" {
  export interface ByteRange {
    readonly offset: number;
    readonly length: number;
  }
  export interface Located {
    readonly resolvedUri: string;
    readonly byterange?: ByteRange;
  }
  export interface Segment extends Located {
    readonly duration: number;
    readonly map?: Located;
    /** Seconds. */
    readonly presentationTime?: number;
    readonly discontinuity?: boolean;
  }
  export interface Playlist {
    readonly attributes: { readonly NAME?: string; readonly BANDWIDTH?: number; readonly CODECS?: string };
    readonly endList?: boolean;
    readonly segments: readonly Segment[];
    readonly sidx?: Located & { readonly map?: Located };
  }
  export interface Manifest {
    /** Milliseconds. */
    readonly minimumUpdatePeriod?: number;
    readonly playlists: readonly Playlist[];
    readonly mediaGroups: {
      readonly AUDIO: Readonly<Record<string, Readonly<Record<string, { readonly playlists?: readonly Playlist[] }>>>>;
    };
  }
  export interface TimelineEntry {
    readonly t?: number;
    readonly d: number;
    readonly r?: number;
  }
  /** SegmentTemplate or SegmentList. */
  export interface Addressing {
    readonly timescale?: number;
    readonly duration?: number;
    readonly startNumber?: number;
    readonly endNumber?: string;
    readonly presentationTimeOffset?: number;
  }
  export interface RepresentationInfo {
    /** Seconds, but for `NOW`. */
    readonly attributes: {
      readonly type?: string;
      readonly NOW: number;
      readonly availabilityStartTime?: number;
      readonly periodStart?: number | null;
      readonly periodDuration?: number;
      readonly sourceDuration?: number;
      readonly timeShiftBufferDepth?: number;
    };
    readonly segmentInfo: {
      readonly template?: Addressing;
      readonly list?: Addressing;
      readonly segmentTimeline?: readonly TimelineEntry[];
    };
  }
  export interface ParsedInfo {
    readonly representationInfo: readonly RepresentationInfo[];
    readonly locations?: unknown;
    readonly contentSteeringInfo?: unknown;
    readonly eventStream?: unknown;
  }
  export function parse(text: string, options: { readonly manifestUri: string; readonly NOW?: number }): Manifest;
  /** `parse` in steps: the document, what each representation inherits, its segments, and all of it as one manifest. */
  export function stringToMpdXml(text: string): object;
  export function inheritAttributes(mpd: object, options: { readonly manifestUri: string; readonly NOW?: number }): ParsedInfo;
  export function toPlaylists(representations: readonly RepresentationInfo[]): readonly object[];
  export function toM3u8(parts: {
    readonly dashPlaylists: readonly object[];
    readonly locations: unknown;
    readonly contentSteering: unknown;
    readonly eventStream: unknown;
  }): Manifest;
}
