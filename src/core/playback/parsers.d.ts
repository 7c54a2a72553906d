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
  export function parse(text: string, options: { readonly manifestUri: string; readonly NOW?: number }): Manifest;
}
