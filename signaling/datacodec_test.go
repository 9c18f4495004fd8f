// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// userPacket is a packet with forged sender in envelope and payload.
func userPacket(change func(*wire.DataPacket)) []byte {
	topic := "chat"
	p := &wire.DataPacket{
		Kind: wire.DataPacket_LOSSY, ParticipantIdentity: "forged", ParticipantSid: "PA_forged", Sequence: 7,
		User: &wire.UserPacket{ParticipantIdentity: "forged", ParticipantSid: "PA_forged", Payload: []byte("hello"), Topic: &topic},
	}
	if change != nil {
		change(p)
	}
	b, err := proto.Marshal(p)
	if err != nil {
		panic(err)
	}
	return b
}

func TestStampUser(t *testing.T) {
	in := userPacket(func(p *wire.DataPacket) {
		p.DestinationIdentities = []string{"host"}
		p.User.DestinationSids = []string{"PA_9"}
		p.User.DestinationIdentities = []string{"somebody else"}
	})
	out, to, sequence, err := DataCodec{}.Stamp(in, "guest", "PA_2")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(to, []string{"host"}) || sequence != 7 {
		t.Errorf("to %v, sequence %d", to, sequence)
	}
	if bytes.Contains(out, []byte("forged")) || bytes.Contains(out, []byte("somebody")) {
		t.Errorf("forged sender or destination left in %q", out)
	}
	var got wire.DataPacket
	if err := proto.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	topic := "chat"
	want := &wire.DataPacket{
		Kind: wire.DataPacket_LOSSY, ParticipantIdentity: "guest", ParticipantSid: "PA_2", Sequence: 7,
		DestinationIdentities: []string{"host"},
		User:                  &wire.UserPacket{ParticipantIdentity: "guest", ParticipantSid: "PA_2", Payload: []byte("hello"), Topic: &topic},
	}
	if !proto.Equal(&got, want) {
		t.Errorf("got %v, want %v", &got, want)
	}
	again, _, _, err := DataCodec{}.Stamp(out, "guest", "PA_2")
	if err != nil || !bytes.Equal(again, out) {
		t.Errorf("not canonical: %v\n%x\n%x", err, out, again)
	}
}

func TestStampOldDestinations(t *testing.T) {
	in := userPacket(func(p *wire.DataPacket) { p.User.DestinationIdentities = []string{"host"} })
	out, to, _, err := DataCodec{}.Stamp(in, "guest", "PA_2")
	if err != nil || !reflect.DeepEqual(to, []string{"host"}) {
		t.Fatalf("to %v: %v", to, err)
	}
	var got wire.DataPacket
	if err := proto.Unmarshal(out, &got); err != nil || !reflect.DeepEqual(got.GetDestinationIdentities(), to) {
		t.Errorf("%v: %v", &got, err)
	}
}

// TestStampOpaque sends each payload kind, and one of the future, with bytes
// that are no message: they must come out as they went in.
func TestStampOpaque(t *testing.T) {
	content := "\xff\x00 not a message \xfe"
	for _, n := range []protowire.Number{6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 18, 19, 400} {
		in := number(16, 9) + member(n, content) + member(4, "forged") + number(99, 1)
		out, to, sequence, err := DataCodec{}.Stamp([]byte(in), "guest", "PA_2")
		if err != nil {
			t.Errorf("%d: %v", n, err)
			continue
		}
		want := member(4, "guest") + number(16, 9) + member(17, "PA_2") + member(n, content)
		if string(out) != want || len(to) != 0 || sequence != 9 {
			t.Errorf("%d: %q to %v, want %q", n, out, to, want)
		}
	}
	// A known payload wins over fields of the future, which are dropped.
	out, _, _, err := DataCodec{}.Stamp([]byte(member(9, "chat")+member(20, "a")+member(21, "b")), "g", "PA")
	if want := member(4, "g") + member(17, "PA") + member(9, "chat"); err != nil || string(out) != want {
		t.Errorf("%q: %v", out, err)
	}
}

func TestStampRefuses(t *testing.T) {
	chat := member(9, "chat")
	tests := []struct {
		name, in string
		want     error
	}{
		{"nothing", "", ErrDataMalformed},
		{"only an envelope", member(4, "guest") + number(16, 1), ErrDataMalformed},
		{"lone tag", "\x12", ErrDataMalformed},
		{"truncated", "\x12\x05a", ErrDataMalformed},
		{"end of group", "\x0c", ErrDataMalformed},
		{"open group", chat + "\x9b\x06", ErrDataMalformed},
		{"groups 20000 deep", strings.Repeat("\x9b\x06", 20_000), ErrDataMalformed},
		{"reserved wire type", "\x17", ErrDataMalformed},
		{"two payloads", chat + member(10, "rpc"), ErrDataMalformed},
		{"payload twice", chat + chat, ErrDataMalformed},
		{"user twice", member(2, "") + member(2, ""), ErrDataMalformed},
		{"user and encrypted", member(2, "") + member(18, "x"), ErrDataMalformed},
		{"two payloads of the future", member(19, "a") + member(20, "b"), ErrDataMalformed},
		{"payload is a number", number(9, 1), ErrDataMalformed},
		{"user is a number", number(2, 1), ErrDataMalformed},
		{"user truncated", member(2, "\x12\x05a"), ErrDataMalformed},
		{"user not UTF-8", member(2, member(4, "\xff")), ErrDataMalformed},
		{"identity not UTF-8", chat + member(4, "\xff"), ErrDataMalformed},
		{"destination not UTF-8", chat + member(5, "\xff"), ErrDataMalformed},
		{"empty destination", chat + member(5, ""), ErrDataMalformed},
		{"speaker update", member(3, ""), ErrDataForbidden},
		{"speaker update beside chat", chat + member(3, "x"), ErrDataForbidden},
		{"destination by sid", member(2, member(3, "PA_1")), ErrDataForbidden},
		{"too large", member(9, strings.Repeat("x", MaxDataPacket)), ErrDataTooLarge},
		{"many destinations", chat + strings.Repeat(member(5, "x"), maxRepeated+1), ErrDataTooLarge},
		{"long destination", chat + member(5, strings.Repeat("x", maxString+1)), ErrDataTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, _, _, err := DataCodec{}.Stamp([]byte(tt.in), "guest", "PA_2")
			if !errors.Is(err, tt.want) || out != nil {
				t.Errorf("%q, %v, want %v", out, err, tt.want)
			}
		})
	}
}

func TestStampLargest(t *testing.T) {
	head := len(member(9, strings.Repeat("x", 60_000))) - 60_000
	in := member(9, strings.Repeat("x", MaxDataPacket-head))
	if len(in) != MaxDataPacket {
		t.Fatalf("%d bytes", len(in))
	}
	if _, _, _, err := (DataCodec{}).Stamp([]byte(in), "guest", "PA_2"); err != nil {
		t.Error(err)
	}
	if _, _, _, err := (DataCodec{}).Stamp([]byte(in), strings.Repeat("g", 4096), "PA_2"); !errors.Is(err, ErrDataTooLarge) {
		t.Errorf("stamped beyond what a data channel takes: %v", err)
	}
}

// TestStampDoesNotKeepInput changes the input afterwards.
func TestStampDoesNotKeepInput(t *testing.T) {
	in := []byte(member(9, "chat"))
	out, _, _, err := DataCodec{}.Stamp(in, "guest", "PA_2")
	if err != nil {
		t.Fatal(err)
	}
	clear(in)
	if !bytes.Contains(out, []byte("chat")) {
		t.Error("the result shares the input's memory")
	}
}

func BenchmarkStamp(b *testing.B) {
	in := userPacket(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, err := (DataCodec{}).Stamp(in, "guest", "PA_2"); err != nil {
			b.Fatal(err)
		}
	}
}
