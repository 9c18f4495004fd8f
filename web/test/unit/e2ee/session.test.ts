// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, decodeRoster, encode, encodeRoster, hex, WireError } from '../../../src/core/e2ee/keys/wire';
import { type Letter, Village, type Villager } from './village';

async function villageOf(seed: number, count: number): Promise<Village> {
  const village = new Village(seed);
  for (let i = 0; i < count; i++) await village.join();
  await village.gather([...village.all]);
  return village;
}

const at = (village: Village, i: number): Villager => {
  const v = village.all[i];
  if (!v) throw new Error('nobody there');
  return v;
};

describe('an honest server', { timeout: 120_000 }, () => {
  for (const count of [1, 2, 3, 8]) {
    it(`brings ${count} together`, async () => {
      const village = await villageOf(count, count);
      await village.settle();
      expect(village.all.map((v) => v.session.stopped)).toEqual(village.all.map(() => undefined));
      expect(village.agree()).toBe(true);
    });
  }

  it('lets people come and go: other keys, another code, and nothing for those who went', async () => {
    const village = await villageOf(5, 3);
    await village.settle();
    const code = at(village, 0).session.safetyCode();
    const newcomer = await village.join();
    await village.gather([...village.all]);
    await village.settle();
    expect(village.agree()).toBe(true);
    expect(at(village, 0).session.safetyCode()?.words).not.toEqual(code?.words);
    const gone = at(village, 1);
    await village.gather(village.all.filter((v) => v !== gone));
    expect(gone.session.stopped).toBe('removed');
    const mark = village.sent.length;
    await village.settle();
    expect(village.agree()).toBe(true);
    for (const { octets } of village.sent) await gone.session.onMessage(octets);
    expect(village.sent.slice(mark).some((l) => l.to === gone.pid)).toBe(false);
    const fresh = village.present.map((v) =>
      hex(v.session.senderKey(village.epoch, v.pid)?.secret ?? new Uint8Array(0)),
    );
    expect(new Set(fresh).size).toBe(3);
    for (const secret of fresh) expect([...gone.installed.values()]).not.toContain(secret);
    expect(newcomer.codes).toHaveLength(2);
  });

  it('sees keys renewed every ten minutes under the same code', async () => {
    const village = await villageOf(6, 2);
    await village.settle();
    const [before, code] = [
      at(village, 0).session.senderKey(1, at(village, 0).pid),
      at(village, 0).session.safetyCode(),
    ];
    await village.pass(600_000);
    await village.settle();
    expect(village.agree()).toBe(true);
    expect(at(village, 0).session.senderKey(1, at(village, 0).pid)?.generation).toBe((before?.generation ?? 0) + 1);
    expect(at(village, 0).session.safetyCode()).toEqual(code);
  });
});

describe('a hostile server', { timeout: 120_000 }, () => {
  it('that adds a ghost is refused', async () => {
    const village = await villageOf(11, 2);
    await village.settle();
    const other = new Village(12);
    await other.join();
    await village.gather([...village.all, at(other, 0)]);
    expect(village.all.map((v) => v.session.stopped)).toEqual(['ghost', 'ghost']);
  });

  it('that shows different rosters is found out', async () => {
    const village = new Village(13);
    for (let i = 0; i < 3; i++) await village.join();
    const [a, b, c] = [at(village, 0), at(village, 1), at(village, 2)];
    village.present = [a, b, c];
    await a.session.onRoster(village.roster([a, b, c]));
    village.epoch = 0;
    await b.session.onRoster(village.roster([a, b]));
    await village.settle();
    expect(b.session.stopped).toBe('roster');
    expect(a.codes).toEqual([]);
  });

  it('that swaps public keys is found out', async () => {
    const village = new Village(14);
    for (let i = 0; i < 3; i++) await village.join();
    const [a, b, c] = [at(village, 0), at(village, 1), at(village, 2)];
    b.entry = { ...b.entry, knock: { ...b.entry.knock, kem: c.entry.knock.kem } };
    await village.gather([a, b, c]);
    expect(a.session.stopped).toBe('ghost');
    expect(b.session.stopped).toBe('roster');
  });

  it('that brings back who was removed is refused', async () => {
    const village = await villageOf(15, 3);
    await village.settle();
    await village.gather([at(village, 0), at(village, 1)]);
    await village.settle();
    await village.gather([...village.all]);
    expect(at(village, 0).session.stopped).toBe('returned');
  });

  it('that keeps messages back stops the call, and silences who was heard by the removed', async () => {
    const village = await villageOf(16, 3);
    await village.settle();
    await village.gather([at(village, 0), at(village, 1)]);
    village.letters = [];
    await village.pass(3_000);
    expect(at(village, 0).used.at(-1)).toBeUndefined();
    await village.pass(2_000);
    expect(at(village, 0).waiting).toEqual([at(village, 1).pid]);
    await village.pass(5_000);
    expect(at(village, 0).session.stopped).toBe('blocked');
  });

  const none = new Uint8Array(16);
  const secrets: [string, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>][] = [
    ['another secret of the link', none.slice().fill(9), none.slice().fill(8)],
    ['one bit of it changed', none.slice().fill(9), none.slice().fill(9).fill(8, 15)],
    ['no secret, where the host has one', none.slice().fill(9), none],
    ['a secret, where the host has none', none, none.slice().fill(9)],
  ];
  for (const [what, host, guest] of secrets) {
    it(`that brings somebody with ${what}: both stop for that reason, and nothing is agreed on`, async () => {
      for (let seed = 170; seed < 174; seed++) {
        const village = new Village(seed);
        await village.join(host);
        await village.join(guest);
        await village.gather([...village.all]);
        await village.settle();
        for (const v of village.all) {
          expect(v.session.stopped).toBe('link');
          expect(v.codes).toEqual([]);
          expect([...v.installed.keys()]).toEqual([]);
          expect(v.used).toEqual([undefined]);
        }
        // Keys were not even given out.
        expect(village.sent.some((l) => decode(l.octets).type === 'key')).toBe(false);
      }
    });
  }

  it('cannot show the word of one for the secret as that of another, or of an earlier roster', async () => {
    const village = await villageOf(18, 3);
    const commits = village.letters.filter((l) => decode(l.octets).type === 'commit');
    const marks = commits.map((l) => {
      const m = decode(l.octets);
      return m.type === 'commit' ? hex(m.link) : '';
    });
    expect(new Set(marks).size).toBe(3);
    expect(marks.join()).not.toContain('09090909');
    await village.settle();
    await village.gather([at(village, 0), at(village, 1)]);
    for (const { octets } of village.letters) {
      const m = decode(octets);
      if (m.type === 'commit') expect(marks).not.toContain(hex(m.link));
    }
  });

  const tricks: Record<string, (l: Letter, village: Village) => Letter[]> = {
    drop: () => [],
    twice: (l) => [l, l],
    strip: (l) => [{ ...l, octets: l.octets.slice(0, -1) }],
    flip: (l, v) => {
      const octets = l.octets.slice();
      const i = Math.floor(v.chance() * octets.length);
      octets[i] = (octets[i] ?? 0) ^ (1 << Math.floor(v.chance() * 8));
      return [{ ...l, octets }];
    },
    replay: (l, v) => {
      const old = v.sent[Math.floor(v.chance() * v.sent.length)] ?? l;
      return [l, old, { ...old, to: l.to }];
    },
    swap: (l, v) => [{ ...l, to: v.present[Math.floor(v.chance() * v.present.length)]?.pid ?? l.to }],
  };

  it('never brings anybody to disagree: keys and codes are equal, or the session has stopped', async () => {
    const names = Object.keys(tricks);
    let agreed = 0;
    for (let seed = 100; seed < 142; seed++) {
      const village = new Village(seed);
      for (let i = 0; i < 2 + (seed % 7); i++) await village.join();
      const trick = tricks[names[Math.floor(village.chance() * names.length)] ?? ''];
      await village.gather([...village.all]);
      await play(village, trick, 0.1 / village.all.length);
      const last = village.all.at(-1);
      const mark = village.sent.length;
      await village.gather(village.all.slice(0, -1));
      await play(village, trick, 0.1 / village.all.length);
      for (let i = 0; i < 4; i++) await village.pass(3_000);
      expect(last?.session.stopped, `seed ${seed}`).toBeDefined();
      expect(village.sent.slice(mark).some((l) => l.to === last?.pid)).toBe(false);
      isConsistent(village, `seed ${seed}`);
      if (village.agree()) agreed++;
    }
    expect(agreed).toBeGreaterThan(0);
    expect(agreed).toBeLessThan(42);
  });
});

/** How far the exploration goes; E2EE_STEPS=1000000 takes half an hour. */
const steps = Number(process.env['E2EE_STEPS'] ?? 8_000);

describe('any order of events', { timeout: 300_000 + 5 * steps }, () => {
  it(`leaves everybody agreed: ${steps} steps`, async () => {
    let done = 0;
    for (let seed = Number(process.env['E2EE_SEED'] ?? 7); done < steps; seed++) {
      const village = new Village(seed);
      for (let i = 0; i < 3 + (seed % 4); i++) await village.join();
      await village.gather([...village.all]);
      const removed = new Map<Villager, number>();
      // What is due within ten seconds and does not come ends a session, and rightly: letters are late, not lost.
      let late = 0;
      for (let event = 0; event < 60 && done < steps; event++) {
        // Some letters are delivered, in any order, before the next thing happens.
        const some = Math.floor(village.chance() * 40);
        for (let i = 0; i < some && village.letters.length > 0; i++, done++) await village.step();
        const what = village.chance();
        const time = Math.floor(village.chance() * 2_000);
        late = village.letters.length > 0 ? late + time : 0;
        if (late > 8_000) {
          done += village.letters.length;
          await village.settle();
          late = 0;
        }
        if (what < 0.4) await village.pass(time);
        else if (what < 0.6) {
          done += village.letters.length;
          await village.settle();
          await village.pass(600_000);
        } else if (what < 0.7 && village.present.length > 2) {
          done += village.letters.length;
          await village.settle();
          const [gone] = village.present.splice(1 + Math.floor(village.chance() * (village.present.length - 1)), 1);
          if (gone) removed.set(gone, village.sent.length);
          await village.gather([...village.present]);
        } else if (what < 0.8 && village.all.length < 12) {
          await village.join();
          await village.gather([...village.present, village.all.at(-1) as Villager]);
        }
        isConsistent(village, `seed ${seed}`, false);
      }
      done += village.letters.length;
      await village.settle();
      for (let i = 0; i < 4; i++) await village.pass(1_000);
      expect(village.agree(), `seed ${seed}`).toBe(true);
      // Nobody who went was sent anything after that, and none of the keys that came later is theirs.
      for (const [one, mark] of removed) {
        expect(
          village.sent.slice(mark).some((l) => l.to === one.pid),
          `seed ${seed}`,
        ).toBe(false);
      }
    }
  });
});

/** Delivers everything in an order by chance, some of it by a trick. */
async function play(village: Village, trick: ((l: Letter, v: Village) => Letter[]) | undefined, often: number) {
  while (village.letters.length > 0) {
    const [letter] = village.letters.splice(Math.floor(village.chance() * village.letters.length), 1);
    if (!letter) break;
    const out = trick && village.chance() < often ? trick(letter, village) : [letter];
    for (const l of out) await village.deliver(l);
  }
}

/** One code for each epoch, one secret for each key, and whoever goes on has a key of everybody who is there. */
function isConsistent(village: Village, name: string, settled = true): void {
  const said = new Map<string, string>();
  const same = (what: string, value: string) => {
    expect(said.get(what) ?? value, name).toBe(value);
    said.set(what, value);
  };
  for (const v of village.all) {
    for (const c of v.codes) same(`code ${c.epoch}`, JSON.stringify(c));
    for (const [key, secret] of v.installed) same(key, secret);
  }
  if (!settled) return;
  const going = village.present.filter((v) => !v.session.stopped);
  for (const v of going) {
    for (const w of village.present) {
      if (w !== v) expect(v.session.senderKey(village.epoch, w.pid), name).toBeDefined();
    }
  }
}

describe('the decoders', { timeout: 300_000 }, () => {
  it('take whatever comes without harm, and nothing that does not encode to the same', async () => {
    const village = await villageOf(30, 3);
    await village.settle();
    const real = village.sent.map((l) => l.octets);
    const change = fc.record({ of: fc.nat(real.length - 1), at: fc.nat(1300), to: fc.nat(255), cut: fc.nat(3) });
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 1600 }),
      change.map(({ of, at, to, cut }) => {
        const o = (real[of] ?? new Uint8Array(0)).slice();
        if (at < o.length) o[at] = to;
        return o.slice(0, o.length - cut);
      }),
    );
    const holds = (o: Uint8Array, again: () => Uint8Array): boolean => {
      try {
        return hex(again()) === hex(o);
      } catch (e) {
        return e instanceof WireError;
      }
    };
    const both = (o: Uint8Array) => holds(o, () => encode(decode(o))) && holds(o, () => encodeRoster(decodeRoster(o)));
    fc.assert(fc.property(octets, both), { numRuns: 100_000, seed: 4 });
  });
});
