// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { describeOurs, describeTheirs } from '../../../src/core/e2ee/frames/opus';

const lines = (...l: string[]) => l.map((s) => `${s}\r\n`).join('');

const head = lines('v=0', 'o=- 1 2 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=group:BUNDLE 0 1 2');
const rest = [
  'a=rtpmap:63 red/48000/2',
  'a=fmtp:63 111/111',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:110 telephone-event/48000',
];
const opus = ['a=rtpmap:111 opus/48000/2', 'a=rtcp-fb:111 transport-cc'];
const fmtp = 'a=fmtp:111 minptime=10;useinbandfec=1';
const video = lines(
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
  'a=mid:1',
  'a=rtpmap:96 VP8/90000',
  'a=rtcp-fb:96 nack pli',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
);
const data = lines('m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=mid:2', 'a=sctp-port:5000');
const sound = (...more: string[]) => lines('m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 110', 'a=mid:0', ...more);

describe('a description of ours', () => {
  const offered = head + sound(...opus, fmtp, ...rest) + video + data;
  const wanted = head + sound(...opus, 'a=rtcp-fb:111 nack', fmtp, ...rest) + video + data;

  it('asks for lost sound again, and changes nothing else', () => {
    expect(describeOurs(offered)).toBe(wanted);
    expect(describeOurs(wanted)).toBe(wanted);
  });

  it('has no packets that tell how loud they are', () => {
    const mid = 'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid';
    const told = [
      'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
      mid,
      'a=extmap:2/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on',
      'a=extmap:3 urn:ietf:params:rtp-hdrext:csrc-audio-level',
    ];
    const text = (...more: string[]) => head + sound(...opus, 'a=rtcp-fb:111 nack', ...more, ...rest) + video + data;
    expect(describeOurs(text(...told))).toBe(text(mid));
  });

  it('knows Opus by its name and in every section', () => {
    const one = sound('a=rtpmap:109 opus/48000/2', 'a=rtpmap:96 OPUS/48000/2', 'a=rtcp-fb:96 nack', 'a=rtcp-fb:9 nack');
    const two = sound('a=rtpmap:111 opus/48000/2');
    expect(describeOurs(head + one + video + two)).toBe(
      head +
        sound(
          'a=rtpmap:109 opus/48000/2',
          'a=rtcp-fb:109 nack',
          'a=rtpmap:96 OPUS/48000/2',
          'a=rtcp-fb:96 nack',
          'a=rtcp-fb:9 nack',
        ) +
        video +
        sound('a=rtpmap:111 opus/48000/2', 'a=rtcp-fb:111 nack'),
    );
  });

  it('takes other line ends, none at the end, and texts without sound', () => {
    expect(describeOurs('v=0\nm=audio 9 X 8\na=rtpmap:8 opus/48000/2')).toBe(
      'v=0\nm=audio 9 X 8\na=rtpmap:8 opus/48000/2\na=rtcp-fb:8 nack',
    );
    for (const same of ['', head, head + video + data, head + sound(...rest)]) expect(describeOurs(same)).toBe(same);
  });
});

describe('a description of theirs', () => {
  const constant = 'a=fmtp:111 minptime=10;useinbandfec=1;cbr=1';

  it('asks for packets of one length, and nothing else is changed', () => {
    const wanted = head + sound(...opus, constant, ...rest) + video + data;
    for (const asked of [
      fmtp,
      'a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1',
      'a=fmtp:111 cbr=0; UseDTX=1 ;minptime=10;useinbandfec=0',
      constant,
    ]) {
      expect(describeTheirs(head + sound(...opus, asked, ...rest) + video + data)).toBe(wanted);
    }
  });

  it('does so where nothing is asked, and where it is asked twice', () => {
    expect(describeTheirs(head + sound(...opus, ...rest))).toBe(
      head + sound(...opus, 'a=fmtp:111 useinbandfec=1;cbr=1', ...rest),
    );
    expect(describeTheirs(head + sound(...opus, 'a=fmtp:111 stereo=1', 'a=fmtp:111 usedtx=1;cbr=0'))).toBe(
      head + sound(...opus, 'a=fmtp:111 stereo=1;useinbandfec=1;cbr=1'),
    );
    for (const same of ['', head, head + video + data, head + sound(...rest)]) expect(describeTheirs(same)).toBe(same);
  });

  it('asks for longer packets where it is told to, once, and only of sound', () => {
    const long = (...lines: string[]) => describeTheirs(head + sound(...opus, ...lines, ...rest) + video + data, 60);
    const wanted = head + sound(...opus, constant, ...rest, 'a=ptime:60') + video + data;
    expect(long(constant)).toBe(wanted);
    expect(long(constant, 'a=ptime:20', 'a=maxptime:40')).toBe(wanted);
    expect(describeTheirs(long(constant))).toBe(wanted);
    expect(describeTheirs(head + sound('a=rtpmap:8 PCMA/8000') + video, 60)).toBe(
      head + sound('a=rtpmap:8 PCMA/8000') + video,
    );
  });
});
