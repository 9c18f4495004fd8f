// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/caddy-videoroom/videoroom/check/client"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// process is a running Caddy of its own.
type process struct {
	*lab
	cmd *exec.Cmd
	log *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// run starts Caddy with the lab's configuration until the test ends, and waits
// until url answers.
func (l *lab) run(sites, url string) *process {
	l.t.Helper()
	file := filepath.Join(l.dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(l.config(sites)), 0o600); err != nil {
		l.t.Fatal(err)
	}
	p := &process{lab: l, cmd: l.caddyCommand(context.WithoutCancel(l.t.Context()), "run", "--config", file), log: new(lockedBuffer)}
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // ends with the process, which the end of the test ends
		defer close(ended)
		_ = p.cmd.Wait()
	}()
	l.t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(drainTime + 10*time.Second):
			_ = p.cmd.Process.Kill()
			l.t.Error("the process did not end")
		}
		if l.t.Failed() {
			l.t.Logf("the log:\n%s", p.log)
		}
	})
	p.await("an answer", func() bool {
		resp, err := l.client.Get(strings.NewReplacer("HTTPS", fmt.Sprint(l.https), "HTTP", fmt.Sprint(l.http)).Replace(url))
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return p
}

func (p *process) await(what string, done func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// reload hands the process another configuration.
func (p *process) reload(sites string) {
	p.t.Helper()
	resp, text := p.do(http.MethodPost, "http://localhost:ADMIN/load", body(string(p.adapt(sites))))
	if resp.StatusCode != http.StatusOK {
		p.t.Fatalf("reload: %d %s", resp.StatusCode, text)
	}
}

// listening returns the ports that the process has open, such as "udp 443",
// once for each socket.
func (p *process) listening() (open []string) {
	p.t.Helper()
	inodes := make(map[string]bool)
	dir := fmt.Sprintf("/proc/%d", p.cmd.Process.Pid)
	fds, err := os.ReadDir(dir + "/fd")
	if err != nil {
		p.t.Skip("no /proc here:", err)
	}
	for _, fd := range fds {
		target, _ := os.Readlink(dir + "/fd/" + fd.Name())
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	for table, state := range map[string]string{"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"} {
		text, err := os.ReadFile(dir + "/net/" + table)
		if err != nil {
			continue // no IPv6
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != state || !inodes[f[9]] {
				continue
			}
			var port int
			_, hex, _ := strings.Cut(f[1], ":")
			if _, err := fmt.Sscanf(hex, "%X", &port); err != nil {
				p.t.Fatal(err)
			}
			open = append(open, fmt.Sprintf("%s %d", table[:3], port))
		}
	}
	slices.Sort(open)
	return open
}

// listensOn waits until the process has these sockets open and no others.
func (p *process) listensOn(want ...string) {
	p.t.Helper()
	slices.Sort(want)
	var got []string
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if got = p.listening(); slices.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) {
			p.t.Errorf("open are %q, want %q", got, want)
			return
		}
	}
}

// call is two people in a test room, one of whom speaks.
type call struct {
	t       *testing.T
	parties [2]*client.Client
	stop    context.CancelFunc
	wg      sync.WaitGroup

	mu      sync.Mutex
	packets int
	last    time.Time
	gap     time.Duration // the longest since the last look
}

var (
	udp4 = []webrtc.NetworkType{webrtc.NetworkTypeUDP4}
	udp6 = []webrtc.NetworkType{webrtc.NetworkTypeUDP6}
	tcp4 = []webrtc.NetworkType{webrtc.NetworkTypeTCP4}
	tcp6 = []webrtc.NetworkType{webrtc.NetworkTypeTCP6}
)

// call joins the site at url, reached under an address, with these kinds of
// candidates, and returns when sound has arrived.
func (l *lab) call(url, reached string, types []webrtc.NetworkType) *call {
	l.t.Helper()
	url = strings.NewReplacer("HTTPS", fmt.Sprint(l.https), "HTTP", fmt.Sprint(l.http)).Replace(url)
	web := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"}, // the lab's own authority
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(reached, port))
		},
	}}
	l.t.Cleanup(web.CloseIdleConnections)
	ctx, stop := context.WithCancel(l.t.Context())
	c := &call{t: l.t, stop: stop}
	l.t.Cleanup(c.end)
	for i, token := range l.tickets(web, url) {
		c.parties[i] = c.join(ctx, client.Options{URL: url, Token: token, HTTP: web}, types)
	}
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "sound", "sound")
	if err != nil {
		l.t.Fatal(err)
	}
	info, err := c.parties[0].Publish(ctx, track, wire.TrackSource_MICROPHONE, 0, 0)
	if err != nil {
		l.t.Fatal(err)
	}
	// pion is not safe against media that comes before the answer announces it.
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(c.parties[1].Peer().RemoteDescription().SDP, info.Sid); {
		if time.Now().After(deadline) {
			l.t.Fatal("the track is not announced")
		}
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond) // until it has dealt with it

	c.wg.Go(func() { // ends with stop
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = track.WriteSample(media.Sample{Data: make([]byte, 80), Duration: 20 * time.Millisecond}) // the gap tells
			}
		}
	})
	c.hears(10)
	return c
}

func (c *call) join(ctx context.Context, o client.Options, types []webrtc.NetworkType) *client.Client {
	c.t.Helper()
	var se webrtc.SettingEngine
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetIncludeLoopbackCandidate(true)
	se.SetNetworkTypes(types)
	// The best of the pairs that work is what tests ask for, not the first.
	se.SetHostAcceptanceMinWait(500 * time.Millisecond)
	var me webrtc.MediaEngine
	if err := me.RegisterDefaultCodecs(); err != nil {
		c.t.Fatal(err)
	}
	o.API = webrtc.NewAPI(webrtc.WithMediaEngine(&me), webrtc.WithSettingEngine(se))
	o.OnTrack = func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for { // ends with the connection
			if _, _, err := t.ReadRTP(); err != nil {
				return
			}
			now := time.Now()
			c.mu.Lock()
			if c.packets++; c.packets > 1 {
				c.gap = max(c.gap, now.Sub(c.last))
			}
			c.last = now
			c.mu.Unlock()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	one, err := client.Join(ctx, o)
	if err != nil {
		c.t.Fatal(err)
	}
	return one
}

// tickets asks for a test room.
func (l *lab) tickets(web *http.Client, url string) []string {
	l.t.Helper()
	req, err := http.NewRequest(http.MethodPost, url+"/api/v1/test", strings.NewReader("{}"))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", strings.TrimSuffix(url, "/video"))
	resp, err := web.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	var tickets struct{ Tokens []string }
	if err != nil || json.Unmarshal(text, &tickets) != nil || len(tickets.Tokens) != 2 {
		l.t.Fatalf("a test room: %d %s %v", resp.StatusCode, text, err)
	}
	return tickets.Tokens
}

// hears waits until n more packets have arrived.
func (c *call) hears(n int) {
	c.t.Helper()
	count := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.packets
	}
	begin := count()
	for deadline := time.Now().Add(20 * time.Second); count() < begin+n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("only %d of %d packets arrived; the paths are %v and %v", count()-begin, n, c.path(0), c.path(1))
		}
	}
}

// silence returns the longest time without sound since the last look.
func (c *call) silence() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	gap := max(c.gap, time.Since(c.last))
	c.gap = 0
	return gap
}

// path returns the server's end of a party's path, such as "udp 127.0.0.1:443".
func (c *call) path(i int) string {
	c.t.Helper()
	pair, err := c.parties[i].Peer().SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return "none"
	}
	return fmt.Sprintf("%s %s", pair.Remote.Protocol, net.JoinHostPort(pair.Remote.Address, fmt.Sprint(pair.Remote.Port)))
}

// over fails the test where a party's path is not the one given.
func (c *call) over(protocol, ip string, port int) {
	c.t.Helper()
	want := fmt.Sprintf("%s %s", protocol, net.JoinHostPort(ip, fmt.Sprint(port)))
	for i := range c.parties {
		if got := c.path(i); got != want {
			c.t.Errorf("the call goes over %s, want %s", got, want)
		}
	}
}

// candidates returns what the server has offered, in the order of preference.
func (c *call) candidates() (all []string) {
	c.t.Helper()
	for line := range strings.Lines(c.parties[0].Peer().RemoteDescription().SDP) {
		f := strings.Fields(line)
		if len(f) < 6 || !strings.HasPrefix(f[0], "a=candidate:") {
			continue
		}
		// Each section has them all.
		if one := fmt.Sprintf("%s %s", f[2], net.JoinHostPort(f[4], f[5])); !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

// end leaves the room.
func (c *call) end() {
	c.stop()
	c.wg.Wait()
	for _, one := range c.parties {
		if one != nil {
			one.Close()
		}
	}
}
