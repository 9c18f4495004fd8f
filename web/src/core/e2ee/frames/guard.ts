// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Nothing leaves or enters a peer connection of this page but through the worker: every sender and receiver gets its way
// through it in the moment that it comes to be, before anything is negotiated.

import { describeOurs, describeTheirs } from './opus';
import type { Assignment, Order, Passage } from './service';

/** The worker, and the way by which this browser gives it frames. */
export interface Workshop {
  way: 'script' | 'streams';
  post(order: Order, transfer?: Transferable[]): void;
  /** The transform of a passage; for browsers of the standard's way. */
  transform(passage: Passage): unknown;
}

type End = RTCRtpSender | RTCRtpReceiver;

interface EncodedStreams {
  createEncodedStreams(): { readable: ReadableStream; writable: WritableStream };
}

/** Names of passages by their ends. One owner: the call. */
export class Guard {
  readonly #workshop: Workshop;
  readonly #names = new WeakMap<object, string>();
  #last = 0;
  /** Milliseconds of sound in each packet that is sent, from the next negotiation on; undefined: as the browser likes. */
  soundLength: number | undefined;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
  }

  /** Sends an end through the worker. Again for the same changes nothing. Throws where the browser does not let it. */
  close(end: End, way: Passage['way'], kind: string | undefined): void {
    if (this.#names.has(end) || (kind !== 'audio' && kind !== 'video')) return;
    const track = `${way} ${++this.#last}`;
    this.#names.set(end, track);
    const passage: Passage = { way, kind, track };
    if (this.#workshop.way === 'script') {
      // Else frames would pass unchanged, and nobody would be told.
      if (!('transform' in end)) throw new Error('frames cannot be transformed');
      (end as { transform?: unknown }).transform = this.#workshop.transform(passage);
      return;
    }
    const { readable, writable } = (end as unknown as EncodedStreams).createEncodedStreams();
    this.#workshop.post({ do: 'attach', passage, readable, writable }, [readable, writable]);
  }

  /** Says whose frames pass an end, and what they show. Without an assignment nothing passes. */
  assign(end: End, assignment: Assignment | undefined): void {
    const track = this.#names.get(end);
    // An end that is not guarded must not exist.
    if (track === undefined) throw new Error('frames that do not pass the worker');
    this.#workshop.post({ do: 'assign', track, ...(assignment && { assignment }) });
  }
}

/** Never, for the sake of the older form of these methods, which nobody uses. */
async function ours(made: Promise<RTCSessionDescriptionInit>): Promise<never> {
  const { type, sdp } = await made;
  return { type, ...(sdp !== undefined && { sdp: describeOurs(sdp) }) } as never;
}

/** Peer connections of this kind have no end that is not guarded. */
export function guardedConnection(Native: typeof RTCPeerConnection, guard: Guard, way: Workshop['way']) {
  const both = (t: RTCRtpTransceiver, kind: string | undefined) => {
    guard.close(t.sender, 'seal', kind);
    guard.close(t.receiver, 'open', kind);
  };
  // With this flag a browser of the older way sends and plays nothing that a worker has not had.
  const flagged = (config?: RTCConfiguration) => ({ ...config, encodedInsertableStreams: way === 'streams' });
  return class extends Native {
    constructor(config?: RTCConfiguration) {
      super(flagged(config));
      this.addEventListener('track', ({ transceiver, track }) => both(transceiver, track.kind));
    }

    override setConfiguration(config?: RTCConfiguration): void {
      super.setConfiguration(flagged(config));
    }

    override addTransceiver(of: MediaStreamTrack | string, init?: RTCRtpTransceiverInit): RTCRtpTransceiver {
      const t = super.addTransceiver(of, init);
      both(t, typeof of === 'string' ? of : of.kind);
      return t;
    }

    override addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): RTCRtpSender {
      const sender = super.addTrack(track, ...streams);
      guard.close(sender, 'seal', track.kind);
      return sender;
    }

    override createOffer(options?: unknown): Promise<never> {
      return ours(super.createOffer(options as RTCOfferOptions));
    }

    override createAnswer(options?: unknown): Promise<never> {
      return ours(super.createAnswer(options as RTCAnswerOptions));
    }

    override async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const { type, sdp } = description;
      await super.setRemoteDescription({
        type,
        ...(sdp !== undefined && { sdp: describeTheirs(sdp, guard.soundLength) }),
      });
      for (const t of this.getTransceivers()) both(t, t.receiver.track.kind);
    }
  };
}
