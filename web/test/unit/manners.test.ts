// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { decode, encode, MannersBook, silent } from '../../src/core/call/manners';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('messages about the place', () => {
  it('are read as they were written', () => {
    for (const alone of [true, false, null]) {
      expect(decode(encode({ alone, company: true }))).toEqual({ alone, company: true, ask: false });
    }
    expect(decode(encode(silent, true))).toEqual({ ...silent, ask: true });
  });

  it('are nothing when they are anything else', () => {
    const others = [
      '',
      'x',
      'null',
      '[]',
      '{}',
      '{"v":2,"alone":true,"company":false}',
      '{"v":1,"alone":1,"company":false}',
    ];
    for (const text of [
      ...others,
      '{"v":1,"alone":true}',
      `{"v":1,"alone":null,"company":true,"x":"${'y'.repeat(300)}"}`,
    ]) {
      expect(decode(bytes(text)), text).toBeNull();
    }
    expect(decode(new Uint8Array([0xff, 0xfe]))).toBeNull();
  });
});

/** Two people and the way between them. */
function pair() {
  const shown = { a: 0, b: 0 };
  const [a, b]: [MannersBook, MannersBook] = [
    new MannersBook({ send: (d) => void b.hear('a', d), changed: () => shown.a++ }),
    new MannersBook({ send: (d) => void a.hear('b', d), changed: () => shown.b++ }),
  ];
  return { a, b, shown };
}

describe('what people say about their place', () => {
  it('reaches the other one', () => {
    const { a, b, shown } = pair();
    a.say({ alone: true });
    expect(b.of('a')).toEqual({ alone: true, company: false });
    a.say({ company: true });
    expect(b.of('a')).toEqual({ alone: true, company: true });
    expect(shown.b).toBe(2);
    expect(a.of('b')).toEqual(silent);
  });

  it('is told to who comes later', () => {
    const { a, b } = pair();
    a.say({ alone: false });
    b.gone('a');
    expect(b.of('a')).toEqual(silent);
    b.arrive();
    expect(b.of('a')).toEqual({ alone: false, company: false });
  });

  it('is answered once: two who ask do not keep each other busy', () => {
    let sent = 0;
    const a = new MannersBook({ send: () => sent++, changed: () => {} });
    a.hear('b', encode({ alone: true, company: false }, true));
    expect(sent).toBe(0);
    a.say({ alone: true });
    a.hear('b', encode({ alone: true, company: false }, true));
    a.hear('b', encode({ alone: true, company: false }));
    expect(sent).toBe(2);
  });
});
