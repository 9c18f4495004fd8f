// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Where a line carries little, the headers of fifty packets a second and what encryption adds to each take more than what is
// said in them. Then sound goes to such a line in long packets, so that a small picture has room beside it. Whose line down is
// narrow says so under encryption, from page to page. A narrow line up is left alone: browsers fill whatever it carries with
// their pictures, and the server pauses those for the sake of sound.

/** bit/s that the way down must carry, as the server estimates it, so that it is no longer narrow. */
const wide = 300_000;
/** Milliseconds between looks; and in how many of them the server is asked once, as long as its answer matters. */
const period = 2_000;
const askEvery = 3;
/** A pause is asked about at once so many times. */
const askFirst = 2;
/** Looks in a row that must agree before anything changes, and before it changes back. */
const enterAfter = 2;
const leaveAfter = 3;
/** A bound on what is received, in kbit/s, under which a picture needs the room that sound leaves. */
const savedNarrow = 150;
/** With more people than this nobody changes the sound for all because of the line of one. */
const mostPeople = 4;

/** What one sees of one's own line at a time. */
export interface Look {
  /** Pictures of others are paused because one's own line does not carry them, as the server says. */
  halted: boolean;
  /** What the server takes it to carry, in bit/s; undefined where nobody asked. */
  down: number | undefined;
  /** The bound of one's own on what is received, in kbit/s; 0: none. */
  saver: number;
}

/** Decides for one call. One owner. */
export class Slim {
  #narrow = false;
  /** Looks in a row that say otherwise. */
  #against = 0;
  readonly #others = new Set<string>();

  look({ halted, down, saver }: Look): void {
    const saves = saver > 0 && saver <= savedNarrow;
    let is = halted || saves;
    if (!is && this.#narrow) {
      if (down === undefined) return;
      is = down < wide;
    }
    this.#against = is === this.#narrow ? 0 : this.#against + 1;
    if (this.#against < (this.#narrow ? leaveAfter : enterAfter)) return;
    this.#narrow = is;
    this.#against = 0;
  }

  /** One's own line is narrow: the others should know. */
  get asks(): boolean {
    return this.#narrow;
  }

  hear(identity: string, asks: boolean): void {
    if (asks) this.#others.add(identity);
    else this.#others.delete(identity);
  }

  /** How to send. `here`: who of the others is in the room. */
  sound(here: readonly string[]): Sound {
    return here.length < mostPeople && here.some((identity) => this.#others.has(identity)) ? slim : usual;
  }
}

/** How sound is sent: bit/s, and milliseconds in each packet; without these as the browser likes. */
export interface Sound {
  maxBitrate: number;
  length?: number;
}

export const usual: Sound = { maxBitrate: 32_000 };
export const slim: Sound = { maxBitrate: 20_000, length: 60 };

/** What the server says of one's own way down. */
export interface Way {
  /** What it is taken to carry, in bit/s; 0: not known. */
  carries: number;
  /** It does not carry pictures. Where a picture is paused and this is false, the other one's line is the narrow one. */
  halts: boolean;
}

export interface SlimPort {
  /** `paused`: pictures of others are, for whatever line. */
  seen(): { paused: boolean; saver: number; here: readonly string[] };
  ask(): Promise<Way>;
  tell(narrow: boolean): void;
  apply(sound: Sound): Promise<void>;
}

/** Looks at the lines of a call as often as is worth it, and has the sound changed. One owner. */
export class SlimWatch {
  readonly #slim = new Slim();
  readonly #port: SlimPort;
  #next = 0;
  #count = 0;
  /** Looks in a row that saw a pause, and what the server said of it last. */
  #pauses = 0;
  #halts = false;
  #busy = false;
  #sent = usual;

  constructor(port: SlimPort) {
    this.#port = port;
  }

  /** Call it at least once in a period. `now`: milliseconds. */
  look(now: number): void {
    if (this.#busy || now < this.#next) return;
    this.#next = now + period;
    this.#busy = true;
    void this.#look()
      .catch(() => {})
      .finally(() => {
        this.#busy = false;
      });
  }

  hear(identity: string, narrow: boolean): void {
    this.#slim.hear(identity, narrow);
  }

  /** The connection is a new one, which sends as usual. */
  renew(): void {
    this.#sent = usual;
  }

  /** Somebody is there who may not know. */
  arrive(): void {
    if (this.#slim.asks) this.#port.tell(true);
  }

  async #look(): Promise<void> {
    const { paused, saver, here } = this.#port.seen();
    const asked = this.#slim.asks;
    this.#pauses = paused ? this.#pauses + 1 : 0;
    let down: number | undefined;
    if (this.#matters(asked)) {
      const way = await this.#port.ask().catch(() => ({ carries: 0, halts: false }));
      down = way.carries || undefined;
      this.#halts = way.halts;
    }
    this.#slim.look({ halted: paused && this.#halts, down, saver });
    if (this.#slim.asks !== asked) this.#port.tell(this.#slim.asks);
    const sound = this.#slim.sound(here);
    if (sound === this.#sent) return;
    await this.#port.apply(sound);
    this.#sent = sound;
  }

  /** The server's answer matters, and it is time to ask again. */
  #matters(asked: boolean): boolean {
    if (!asked && this.#pauses === 0) return false;
    return (this.#pauses > 0 && this.#pauses <= askFirst) || ++this.#count % askEvery === 0;
  }
}
