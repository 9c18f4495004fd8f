// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package circle

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/internal/e2eetest"
)

func TestFirstHostBeginsAlone(t *testing.T) {
	r := newTable(t)
	early := r.join("early", false)
	if early.told != (PID{}) {
		t.Error("a host is told before there is one")
	}
	host := r.join("host", true)
	if host.told != (PID{}) {
		t.Error("the first host is told another one")
	}
	early.read()
	if early.told != host.knock.PID {
		t.Error("who waits does not learn of the host")
	}
	if got := host.take(Asking); len(got) != 0 {
		t.Error("a list before the host is in the roster")
	}
	host.admit(host)
	if all := host.rosters(host); all[0].Epoch != 1 || !bytes.Equal(all[0].Previous, make([]byte, 32)) {
		t.Errorf("%+v", all[0])
	}
	r.after(time.Second)
	host.admit(early)
	r.after(299 * time.Millisecond)
	if len(early.take(Roster)) != 0 {
		t.Error("joins are not gathered")
	}
	r.after(time.Millisecond)
	all := early.rosters(host, early)
	if all[0].Epoch != 2 || !bytes.Equal(all[0].Previous, e2eetest.RosterHash(r.call, must(e2eetest.DecodeRoster(firstRoster(host, r))))) {
		t.Error("the second roster does not follow the first")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// firstRoster is the roster of a host alone.
func firstRoster(host *page, r *table) []byte {
	return slices.Concat([]byte{1, 8, 0, 0, 0, 1}, make([]byte, 32), []byte{1}, host.knock.Octets(), host.word(host, RoleHost))
}

func TestListsOfWhoAsks(t *testing.T) {
	r, host, _ := begun(t)
	a := r.join("a", false)
	lists := host.take(Asking)
	if len(lists) != 1 || len(lists[0].List) != 1 {
		t.Fatalf("%d lists", len(lists))
	}
	if c := lists[0].List[0]; c.PID != a.knock.PID || c.Identity != "a" || c.Key != "key of a" || c.MayHost || c.Knock != a.knock {
		t.Errorf("%+v", c)
	}
	b := r.join("b", false)
	if len(host.take(Asking)) != 0 {
		t.Error("lists are not gathered")
	}
	r.after(100 * time.Millisecond)
	if got := host.take(Asking); len(got) != 1 || len(got[0].List) != 2 {
		t.Errorf("%+v", got)
	}
	host.admit(a)
	b.c.Leave(b.line, r.now)
	r.after(time.Second)
	if got := host.take(Asking); len(got) != 1 || len(got[0].List) != 0 {
		t.Errorf("%+v", got)
	}
	// A flood of changes makes no flood of lists for a host who is slow.
	for i := range 100 {
		r.join(fmt.Sprint("x", i%2), false)
		r.after(100 * time.Millisecond)
	}
	if n := len(host.take(Asking)); n > host.c.limits.Lists {
		t.Errorf("%d lists", n)
	}
	host.confirm()
	host.read()
	if got := host.take(Asking); len(got) != 1 || len(got[0].List) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestRelayAndResume(t *testing.T) {
	r, host, guests := begun(t, "a", "b")
	a, b := guests[0], guests[1]
	a.take(Message)
	host.send(nil, "to all")
	host.send(a, "to a")
	host.send(&page{knock: &Knock{PID: PID{9}}}, "to nobody")
	texts := func(p *page) string {
		var all []string
		for _, f := range p.take(Message) {
			all = append(all, string(f.Data))
		}
		return fmt.Sprint(all)
	}
	if texts(a) != "[to all to a]" || texts(b) != "[to all]" || texts(host) != "[]" {
		t.Error("not passed on as it was meant")
	}
	a.cut()
	for i := range 5 {
		host.send(a, fmt.Sprint(i))
	}
	r.after(19 * time.Second)
	old := a.line
	if err := a.back(); err != nil {
		t.Fatal(err)
	}
	if texts(a) != "[0 1 2 3 4]" {
		t.Error("something was lost")
	}
	if _, end := old.Take(1); end == Running {
		t.Error("the line before goes on")
	}
	// Not confirmed: comes again. A second resume takes the first one's place.
	a.got -= 2
	if err := a.back(); err != nil || texts(a) != "[3 4]" {
		t.Error("what was not confirmed does not come again", err)
	}
	host.take(Ack)
	if err := r.c.Send(host.line, host.sent-1, nil, []byte("again"), r.now); err != nil {
		t.Fatal(err)
	}
	if got := host.take(Ack); len(got) != 1 || got[0].N != host.sent || texts(a) != "[]" {
		t.Errorf("%+v", got)
	}
	if err := a.c.Got(a.line, a.got+1, r.now); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	if _, err := r.c.Resume(a.resume, "b", "key of a", 0, a.wake, r.now); !errors.Is(err, ErrBegin) {
		t.Error("somebody else continues", err)
	}
	if _, err := r.c.Resume(a.resume, "a", "key of b", 0, a.wake, r.now); !errors.Is(err, ErrBegin) {
		t.Error("another page continues", err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	r, host, guests := begun(t, "a")
	a, b, second := guests[0], r.join("b", false), r.join("second", true)
	word := func(by, about *page, role byte) *Admit { return must(ParseAdmit(by.word(about, role))) }
	pid := b.knock.PID
	other := must(ParseAdmit(sign(host.id, make([]byte, 32), slices.Concat([]byte{1, 2}, make([]byte, 32), host.word(b, 0)[34:115]))))
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"a number left out":       {r.c.Send(a.line, 2, nil, []byte{1}, r.now), ErrMalformed},
		"number 0":                {r.c.Send(a.line, 0, nil, []byte{1}, r.now), ErrMalformed},
		"nothing":                 {r.c.Send(a.line, 1, nil, nil, r.now), ErrMalformed},
		"too much":                {r.c.Send(a.line, 1, nil, make([]byte, MaxMessage+1), r.now), ErrMalformed},
		"candidate sends":         {r.c.Send(b.line, 1, nil, []byte{1}, r.now), ErrRefused},
		"candidate names missing": {r.c.Missing(b.line, nil, r.now), ErrRefused},
		"guest admits":            {r.c.Admit(a.line, 1, pid, word(a, b, 0), r.now), ErrRefused},
		"candidate admits itself": {r.c.Admit(second.line, 1, second.knock.PID, word(second, second, 1), r.now), ErrRefused},
		"no admit":                {r.c.Admit(host.line, host.sent+1, pid, nil, r.now), ErrMalformed},
		"admit of another":        {r.c.Admit(host.line, host.sent+1, pid, word(host, second, 1), r.now), ErrMalformed},
		"signed by another":       {r.c.Admit(host.line, host.sent+1, pid, word(a, b, 0), r.now), ErrMalformed},
		"a guest as host":         {r.c.Admit(host.line, host.sent+1, pid, word(host, b, 1), r.now), ErrRefused},
		"another call":            {r.c.Admit(host.line, host.sent+1, pid, other, r.now), ErrMalformed},
		"same pid":                {r.page2(b).hello(), ErrBegin},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
	r.after(time.Second)
	if len(a.take(Roster)) != 1 {
		t.Error("something of it made a roster")
	}
}

// page2 is another person with a page's knock.
func (r *table) page2(of *page) *page {
	p := r.page("thief", false)
	p.knock = of.knock
	return p
}

func TestSecondHelloReplaces(t *testing.T) {
	r, host, guests := begun(t, "a")
	a := guests[0]
	r.now = r.now.Add(time.Minute)
	again := r.join("a", false)
	a.ends(Left)
	host.rosters(host)
	host.admit(again)
	r.after(time.Second)
	again.rosters(host, again)
	if err := r.page2(a).hello(); !errors.Is(err, ErrBegin) {
		t.Error("a pid returns", err)
	}
}

func TestAbsence(t *testing.T) {
	r, host, guests := begun(t, "a", "b")
	a, b := guests[0], guests[1]
	a.cut()
	c := r.join("c", false)
	host.take(Roster)
	host.admit(c)
	r.after(4 * time.Second)
	if len(host.take(Roster)) != 0 {
		t.Error("a join does not wait for who is cut off")
	}
	if err := a.back(); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*page{host, a, b, c} {
		p.rosters(host, a, b, c) // at once
		p.confirm()
	}
	a.cut()
	d := r.join("d", false)
	host.admit(d)
	r.after(4300 * time.Millisecond)
	if all := d.rosters(host, b, c, d); len(all) != 1 {
		t.Error("more than one epoch")
	}
	if err := a.back(); !errors.Is(err, ErrBegin) {
		t.Error("who has left continues", err)
	}
	for _, p := range []*page{host, b, c, d} {
		p.confirm()
		p.take(Roster)
	}
	b.cut()
	r.after(19 * time.Second)
	if len(host.take(Roster)) != 0 {
		t.Error("left too early")
	}
	r.after(time.Second)
	host.rosters(host, c, d)
}

func TestMissing(t *testing.T) {
	r, host, guests := begun(t, "a", "b", "c")
	a, b, c := guests[0], guests[1], guests[2]
	name := func(p *page) {
		t.Helper()
		if err := r.c.Missing(host.line, []PID{p.knock.PID, host.knock.PID, {1}}, r.now); err != nil {
			t.Fatal(err)
		}
	}
	host.send(a, "x")
	name(a)
	name(b)
	r.after(4 * time.Second)
	name(b)
	if len(host.take(Roster)) != 1 { // that of begun
		t.Error("somebody had to go who was there")
	}
	name(a)
	a.ends(Restart)
	host.rosters(host, b, c)
	c.cut()
	name(c)
	host.rosters(host, b)
}

func TestRemovedAndClosed(t *testing.T) {
	r, host, guests := begun(t, "a", "b")
	a, b := guests[0], guests[1]
	waiting := r.join("w", false)
	if !r.c.Remove("a", r.now) || r.c.Remove("a", r.now) {
		t.Error("Remove does not tell who was here")
	}
	a.ends(Removed)
	host.rosters(host, b)
	b.rosters(host, b)
	if err := a.back(); !errors.Is(err, ErrBegin) {
		t.Error(err)
	}
	r.c.Remove("w", r.now)
	waiting.ends(Removed)
	r.c.Close()
	host.ends(Closed)
	b.ends(Closed)
	if !r.c.Empty() {
		t.Error("somebody is left")
	}
	if err := r.c.Send(b.line, 1, nil, []byte{1}, r.now); err != nil {
		t.Error("a line that has ended is blamed", err)
	}
}

func TestTwoHosts(t *testing.T) {
	r, host, _ := begun(t)
	second := r.join("second", true)
	if second.told != host.knock.PID {
		t.Error("the second host does not learn of the first")
	}
	host.admit(second)
	r.after(time.Second)
	second.rosters(host, second)
	a, b := r.join("a", false), r.join("b", false)
	r.after(time.Second)
	if len(second.take(Asking)) == 0 || len(host.take(Asking)) == 0 {
		t.Error("a host is not asked")
	}
	second.admit(a)
	host.admit(a) // too late, and no fault
	r.after(time.Second)
	a.rosters(host, second, a)

	// The first one goes: its word and that of the second still hold.
	r.c.Leave(host.line, r.now)
	second.admit(b)
	r.after(time.Second)
	b.rosters(second, a, b)

	// The second goes, too, and nobody is left to let others in.
	r.c.Leave(second.line, r.now)
	a.rosters(a, b)
	d := r.join("d", false)
	r.after(time.Minute)
	a.ends(Running)
	r.now = r.now.Add(time.Minute)
	again := r.join("host", true)
	for _, p := range []*page{a, b, d} {
		p.ends(Restart)
	}
	if again.told != (PID{}) {
		t.Error("the new circle has another host")
	}
	again.admit(again)
	again.rosters(again)
}

// The word of a host who has left proves nothing to newcomers, unless it was the
// first one.
func TestWordsOfHostsWhoLeft(t *testing.T) {
	r, host, _ := begun(t)
	second := r.join("second", true)
	host.admit(second)
	r.after(time.Second)
	a, b := r.join("a", false), r.join("b", false)
	second.admit(a)
	r.c.Leave(second.line, r.now) // before the join: a needs another word
	r.after(time.Second)
	a.ends(Running)
	if len(a.take(Roster)) != 0 {
		t.Fatal("who was let in by nobody is in")
	}
	host.admit(a)
	r.after(time.Second)
	a.rosters(host, a)

	r.now = r.now.Add(time.Minute)
	second = r.join("second", true)
	host.admit(second)
	r.after(time.Second)
	second.admit(b)
	r.after(time.Second)
	b.rosters(host, second, a, b)
	r.c.Leave(second.line, r.now)
	b.rosters(host, a, b) // b has seen how it came in
	c := r.join("c", false)
	host.admit(c)
	r.after(time.Second)
	for _, p := range []*page{host, a, b, c} { // c could not see how b came in
		p.ends(Restart)
	}
}

func TestHostWhoWaitsWhenTheLastOneGoes(t *testing.T) {
	r, host, guests := begun(t, "a")
	second := r.join("second", true)
	host.cut()
	r.after(20 * time.Second)
	guests[0].ends(Restart)
	second.ends(Restart)
	if !r.c.Empty() {
		t.Error("somebody is left")
	}
}

func TestHostReloads(t *testing.T) {
	r, host, guests := begun(t, "a")
	r.now = r.now.Add(time.Minute)
	again := r.join("host", true)
	host.ends(Left)
	guests[0].ends(Restart)
	if again.told != (PID{}) {
		t.Error("another host")
	}
}

func TestFirstHostWhoDoesNotBegin(t *testing.T) {
	r := newTable(t)
	guest, host := r.join("a", false), r.join("host", true)
	guest.read()
	if err := host.tryAdmit(guest, RoleOther); !errors.Is(err, ErrRefused) {
		t.Error("others before the host itself", err)
	}
	r.after(10 * time.Second)
	host.ends(Restart)
	guest.ends(Restart)
	if due, ok := r.c.Due(r.now); ok {
		t.Error("due without anybody", due)
	}
}

func TestBounds(t *testing.T) {
	r, host, guests := begun(t, "a", "b")
	a, b := guests[0], guests[1]
	for range r.c.limits.Frames + 1 {
		host.send(a, "x")
	}
	a.ends(Restart)
	b.rosters(host, b)
	b.confirm()
	b.cut()
	for i := range r.c.limits.Octets/MaxMessage + 1 {
		host.send(b, string(make([]byte, MaxMessage)))
		if i < r.c.limits.Octets/(MaxMessage+2*overhead)-2 && len(host.c.members()) != 2 {
			t.Fatal("too early")
		}
	}
	host.rosters(host)
	for i := range r.c.limits.Seats - 1 {
		r.join(fmt.Sprint(i), false)
	}
	if err := r.page("more", false).hello(); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
}

func TestFiftyMembers(t *testing.T) {
	r, host, _ := begun(t)
	all, last := []*page{host}, (*page)(nil)
	for i := range MaxMembers {
		p := r.join(fmt.Sprint(i), false)
		host.admit(p)
		if last = p; i < MaxMembers-1 {
			all = append(all, p)
		}
	}
	r.after(time.Second)
	host.rosters(all...)
	host.confirm()
	// The one without a place gets that of the next who leaves.
	r.c.Leave(all[1].line, r.now)
	if got := host.rosters(append(all[2:], host, last)...); len(got) != 1 {
		t.Errorf("%d epochs", len(got))
	}
}
