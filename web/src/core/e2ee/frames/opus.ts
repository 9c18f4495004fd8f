// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What descriptions of connections say of sound, where frames of it are encrypted: pure functions on their text.

/** Applies a change to the lines of every section of sound, and leaves all others as they are. */
function sounds(sdp: string, change: (lines: string[], opus: string[]) => string[]): string {
  return sdp
    .split(/^(?=m=)/m)
    .map((section) => {
      if (!section.startsWith('m=audio ')) return section;
      const eol = section.includes('\r\n') ? '\r\n' : '\n';
      const lines = section.split(/\r?\n/);
      const opus = lines.flatMap((l) => /^a=rtpmap:(\d+) opus\/48000/i.exec(l)?.[1] ?? []);
      return change(lines, opus).join(eol);
    })
    .join('');
}

/** Adds a line behind the last one that begins with one of these words, which are about the same format. */
function behind(lines: string[], words: readonly string[], line: string): string[] {
  const at = lines.findLastIndex((l) => words.some((w) => l.startsWith(w)));
  return lines.toSpliced(at + 1, 0, line);
}

/** How loud packets are, in the clear. */
const level = /^a=extmap:\S+ urn:ietf:params:rtp-hdrext:(ssrc|csrc)-audio-level\b/;

/**
 * A description of ours: lost sound can be asked for again, because nobody else can repeat what nobody else can read; and
 * packets do not tell how loud they are.
 */
export function describeOurs(sdp: string): string {
  return sounds(sdp, (lines, opus) =>
    opus.reduce(
      (all, pt) => {
        const line = `a=rtcp-fb:${pt} nack`;
        return all.includes(line) ? all : behind(all, [`a=rtpmap:${pt} `, `a=rtcp-fb:${pt} `], line);
      },
      lines.filter((l) => !level.test(l)),
    ),
  );
}

/** How much time of sound goes into a packet (RFC 8866 section 6.4). */
const lengths = /^a=(max)?ptime:/;

/**
 * A description of theirs: whatever it asks, our sound has packets of one length, in speech as in silence; `length`: with so
 * many milliseconds in each.
 */
export function describeTheirs(sdp: string, length?: number): string {
  return sounds(sdp, (lines, opus) => {
    const told = length === undefined || opus.length === 0 ? lines : lines.filter((l) => !lengths.test(l));
    const timed = told === lines ? lines : behind(told, ['a=rtpmap:', 'a=rtcp-fb:', 'a=fmtp:'], `a=ptime:${length}`);
    return opus.reduce((all, pt) => {
      const head = `a=fmtp:${pt} `;
      const asked = all.find((l) => l.startsWith(head))?.slice(head.length) ?? '';
      const kept = asked
        .split(';')
        .map((p) => p.trim())
        .filter((p) => p && !/^(cbr|usedtx|useinbandfec)(=|$)/i.test(p));
      const line = head + [...kept, 'useinbandfec=1', 'cbr=1'].join(';');
      if (!asked) return behind(all, [`a=rtpmap:${pt} `, `a=rtcp-fb:${pt} `], line);
      return all.flatMap((l, i) => {
        if (!l.startsWith(head)) return [l];
        return i === all.findIndex((o) => o.startsWith(head)) ? [line] : [];
      });
    }, timed);
  });
}
