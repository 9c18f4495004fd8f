// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"fmt"
	"strings"
	"testing"
)

// meeting makes of a recorded offer the one that the same browser sends in a
// large meeting: that many sections to receive sound and pictures on.
func meeting(t testing.TB, browser string, audios, videos int) string {
	t.Helper()
	text := recorded(t)[browser+"-4-camera"]
	head, rest, _ := strings.Cut(text, "\r\nm=")
	var kept, mids []string
	var models = map[string]string{}
	add := func(section string) {
		before, after, ok := strings.Cut(section, "a=mid:")
		if !ok {
			t.Fatal("a section without a tag")
		}
		_, after, _ = strings.Cut(after, "\r\n")
		mid := fmt.Sprint(len(mids))
		mids = append(mids, mid)
		kept = append(kept, before+"a=mid:"+mid+"\r\n"+after)
	}
	for section := range strings.SplitSeq(rest, "\r\nm=") {
		kind, _, _ := strings.Cut(section, " ")
		if !strings.Contains(section, "a=recvonly") {
			add(strings.TrimSuffix(section, "\r\n"))
			continue
		}
		models[kind] = strings.TrimSuffix(section, "\r\n") // the last has no candidates
	}
	for range audios {
		add(models[KindAudio])
	}
	for range videos {
		add(models[KindVideo])
	}
	var lines []string
	for line := range strings.SplitSeq(head, "\r\n") {
		if strings.HasPrefix(line, "a=group:BUNDLE") {
			line = "a=group:BUNDLE " + strings.Join(mids, " ")
		}
		lines = append(lines, line)
	}
	if browser == "chromium" { // the transport stood in a section that was left out
		kept[0] += "\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijklmn"
	}
	return strings.Join(lines, "\r\n") + "\r\nm=" + strings.Join(kept, "\r\nm=") + "\r\n"
}

// TestMeetings reads and answers what browsers offer in a meeting of 75 of whom
// 25 show themselves with a screen, and in the largest that there can be.
func TestMeetings(t *testing.T) {
	for _, browser := range []string{"chromium", "firefox"} {
		for _, size := range []struct{ people, pictures int }{{75, 26}, {100, 32}} {
			raw := meeting(t, browser, size.people-1, size.pictures)
			o, err := ParseOffer(raw)
			if err != nil {
				t.Errorf("%s, %d people, %d octets: %v", browser, size.people, len(raw), err)
				continue
			}
			receives := map[string]int{}
			for i := range o.Sections {
				if o.Sections[i].Direction == RecvOnly {
					receives[o.Sections[i].Kind]++
				}
			}
			if receives[KindAudio] != size.people-1 || receives[KindVideo] != size.pictures {
				t.Errorf("%s, %d people: receives %v", browser, size.people, receives)
			}
			answer := reply(o).Marshal()
			if n := strings.Count(answer, "\r\nm="); n != len(o.Sections) {
				t.Errorf("%s: %d sections in the answer, %d in the offer", browser, n, len(o.Sections))
			}
			if len(raw) > maxOffer*2/3 || len(answer) > maxOffer*2/3 {
				t.Errorf("%s, %d people: %d octets offered, %d answered: too little to spare", browser, size.people, len(raw), len(answer))
			}
			t.Logf("%s, %d people, %d pictures: %d sections, %d octets offered, %d answered",
				browser, size.people, size.pictures, len(o.Sections), len(raw), len(answer))
		}
	}
}

// TestMeetingCostsInProportion counts allocations, which do not depend on the
// machine: twice the sections may take little more than twice of them.
func TestMeetingCostsInProportion(t *testing.T) {
	cost := func(people int) float64 {
		raw := meeting(t, "chromium", people, people/3)
		return testing.AllocsPerRun(3, func() {
			o, err := ParseOffer(raw)
			if err != nil || reply(o).Marshal() == "" {
				t.Fatal(err)
			}
		})
	}
	small, large := cost(45), cost(90)
	if large > 2.2*small {
		t.Errorf("45 people cost %.0f allocations, 90 cost %.0f", small, large)
	}
}

func BenchmarkMeeting(b *testing.B) {
	for _, people := range []int{25, 50, 100} {
		raw := meeting(b, "chromium", people-1, min(people, 32))
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				o, err := ParseOffer(raw)
				if err != nil {
					b.Fatal(err)
				}
				_ = reply(o).Marshal()
			}
		})
	}
}
