// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
)

const (
	secureSite = "https://localhost:HTTPS {\n\tvideoroom\n\trespond hello\n}\n"
	plainSite  = "http://localhost:HTTP {\n\tbind 127.0.0.1\n\tvideoroom\n\trespond hello\n}\n"
	secureURL  = "https://localhost:HTTPS/video"
	plainURL   = "http://localhost:HTTP/video"
)

// bearable is how long a call may be without sound while its socket changes: well
// below the time that clients take to find a path again, and enough for a busy
// machine; a quiet one takes milliseconds.
const bearable = 2 * time.Second

// servers returns a servers option with our wrappers and these protocols.
func servers(protocols string) string {
	return "servers {\nprotocols " + protocols + "\nlistener_wrappers {\nvideoroom_pre\ntls\nvideoroom\n}\npacket_conn_wrappers {\nvideoroom\n}\n}\n"
}

// TestHTTP3GoesAndComes: a call on the site's UDP port goes on while HTTP/3 takes
// the port over and leaves it again.
func TestHTTP3GoesAndComes(t *testing.T) {
	l := newLab(t)
	l.media = config.SitePort
	l.extraGlobal = servers("h1 h2")
	p := l.run(secureSite, secureURL+"/api/v1/site")
	sockets := []string{fmt.Sprint("tcp ", l.admin), fmt.Sprint("tcp ", l.http), fmt.Sprint("tcp ", l.https), fmt.Sprint("udp ", l.https)}
	p.listensOn(sockets...)
	c := l.call(secureURL, "127.0.0.1", udp4)
	c.over("udp", "127.0.0.1", l.https)
	h3 := func() error {
		web := l.http3()
		web.Timeout = 3 * time.Second
		defer web.CloseIdleConnections()
		resp, err := web.Get(fmt.Sprintf("https://localhost:%d/", l.https))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "hello" {
			return fmt.Errorf("got %q, %w", text, err)
		}
		return nil
	}
	if h3() == nil {
		t.Error("HTTP/3 answers although it is off")
	}
	for round := range 2 {
		c.silence()
		l.extraGlobal = servers("h1 h2 h3")
		p.reload(secureSite)
		c.hears(25)
		// With another socket on the port the kernel would spread them over both.
		for range 20 {
			if err := h3(); err != nil {
				t.Errorf("round %d: HTTP/3 is on: %v", round, err)
			}
		}
		p.listensOn(sockets...)
		on := c.silence()
		l.extraGlobal = servers("h1 h2")
		p.reload(secureSite)
		// The old socket goes when the last configuration has ended gracefully.
		p.await("videoroom to take the port back", func() bool {
			return strings.Count(p.log.String(), openedNoHTTP3) == round+2
		})
		c.hears(25)
		p.listensOn(sockets...)
		off := c.silence()
		t.Logf("without sound: %v when HTTP/3 came, %v when it went", on, off)
		if on > bearable || off > bearable {
			t.Errorf("round %d: without sound for %v and %v", round, on, off)
		}
		c.over("udp", "127.0.0.1", l.https)
	}
	l.call(secureURL, "127.0.0.1", udp4).over("udp", "127.0.0.1", l.https)
}

// TestHTTP3WithoutWrappers: where Caddy has dropped the wrappers, HTTP/3 has its
// port for itself.
func TestHTTP3WithoutWrappers(t *testing.T) {
	l := newLab(t)
	l.media = config.SitePort
	l.extraGlobal = "servers {\nprotocols h1 h2\n}"
	p := l.run(secureSite, secureURL+"/api/v1/site")
	p.listensOn(fmt.Sprint("tcp ", l.admin), fmt.Sprint("tcp ", l.http), fmt.Sprint("tcp ", l.https), fmt.Sprint("udp ", l.https))
	l.call(secureURL, "127.0.0.1", udp4).over("udp", "127.0.0.1", l.https)
	l.extraGlobal = "servers {\nprotocols h1 h2 h3\n}"
	p.reload(secureSite)
	p.listensOn(fmt.Sprint("tcp ", l.admin), fmt.Sprint("tcp ", l.http), fmt.Sprint("tcp ", l.https), fmt.Sprint("udp ", l.https))
	for range 20 {
		web := l.http3()
		resp, err := web.Get(fmt.Sprintf("https://localhost:%d/", l.https))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		web.CloseIdleConnections()
	}
	l.extraGlobal = "servers {\nprotocols h1 h2\n}"
	p.reload(secureSite)
	p.await("the port", func() bool { return strings.Count(p.log.String(), openedNoHTTP3) == 2 })
	l.call(secureURL, "127.0.0.1", udp4).over("udp", "127.0.0.1", l.https)
}

// TestReloadsKeepTheOwnSocket: as long as HTTP/3 stays off, nothing changes.
func TestReloadsKeepTheOwnSocket(t *testing.T) {
	l := newLab(t)
	l.media = config.SitePort
	l.extraGlobal = servers("h1 h2")
	p := l.run(secureSite, secureURL+"/api/v1/site")
	c := l.call(secureURL, "127.0.0.1", udp4)
	for i := range 5 {
		p.reload(strings.Replace(secureSite, "hello", fmt.Sprint(i), 1))
		c.hears(5)
	}
	if gap := c.silence(); gap > bearable {
		t.Errorf("without sound for %v", gap)
	}
	if n := strings.Count(p.log.String(), openedNoHTTP3); n != 1 {
		t.Errorf("said %d times that the port has been opened", n)
	}
	// Without the site nothing of it stays open.
	p.reload("https://localhost:HTTPS {\n\trespond hello\n}\n")
	p.listensOn(fmt.Sprint("tcp ", l.admin), fmt.Sprint("tcp ", l.http), fmt.Sprint("tcp ", l.https))
}

// TestUDPPortTaken: another program has the UDP port of the site.
func TestUDPPortTaken(t *testing.T) {
	l := newLab(t)
	l.media = config.SitePort
	l.extraGlobal = servers("h1 h2")
	other, err := net.ListenPacket("udp", fmt.Sprintf(":%d", l.https))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	p := l.run(secureSite, secureURL+"/api/v1/site")
	p.await("a warning", func() bool { return strings.Contains(p.log.String(), adviceTaken) })
	c := l.call(secureURL, "127.0.0.1", slices.Concat(udp4, tcp4))
	c.over("tcp", "127.0.0.1", l.https)
	if all := c.candidates(); slices.ContainsFunc(all, func(s string) bool {
		return strings.HasPrefix(s, "udp") && strings.HasSuffix(s, fmt.Sprint(":", l.https))
	}) {
		t.Errorf("offered are %q", all)
	}
	time.Sleep(1500 * time.Millisecond)
	if n := strings.Count(p.log.String(), adviceTaken); n != 1 {
		t.Errorf("warned %d times", n)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	p.reload(strings.Replace(secureSite, "hello", "again", 1))
	p.await("the port", func() bool { return strings.Contains(p.log.String(), openedNoHTTP3) })
	l.call(secureURL, "127.0.0.1", udp4).over("udp", "127.0.0.1", l.https)
}

// TestExtraPort: media_port opens a port of its own in both protocols.
func TestExtraPort(t *testing.T) {
	l := newLab(t)
	p := l.run(secureSite, secureURL+"/api/v1/site")
	own := fmt.Sprint(":", l.media)
	open := p.listening()
	udps := slices.DeleteFunc(slices.Clone(open), func(s string) bool { return s != fmt.Sprint("udp ", l.media) })
	want := append(udps, fmt.Sprint("tcp ", l.admin), fmt.Sprint("tcp ", l.http), fmt.Sprint("tcp ", l.https),
		fmt.Sprint("udp ", l.https), fmt.Sprint("tcp ", l.media))
	p.listensOn(want...)
	if len(udps) == 0 {
		t.Error("UDP is not open")
	}
	c := l.call(secureURL, "127.0.0.1", udp4)
	c.over("udp", "127.0.0.1", l.media)
	site := fmt.Sprint(":", l.https)
	var kinds []string
	for _, at := range c.candidates() {
		kind := at[:3] + " relayed"
		if strings.HasSuffix(at, own) {
			kind = at[:3] + " own"
		} else if strings.HasSuffix(at, site) {
			kind = at[:3] + " site"
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	if want := []string{"udp own", "udp site", "tcp own", "tcp site", "udp relayed"}; !slices.Equal(kinds, want) {
		t.Errorf("offered are %q, want %q", kinds, want)
	}
	l.call(secureURL, "127.0.0.1", tcp4).over("tcp", "127.0.0.1", l.media)
	p.reload(strings.Replace(secureSite, "hello", "again", 1))
	c.hears(25)
	p.listensOn(want...)

	// Anything else is closed.
	for _, text := range []string{"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "\x16\x03\x01\x00\x05hello"} {
		conn, err := net.Dial("tcp", "127.0.0.1"+own)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); len(got) > 0 || err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%q gets %q, %v", text, got, err)
		}
	}
}

// TestExtraPortThatIsTheSites opens nothing.
func TestExtraPortThatIsTheSites(t *testing.T) {
	l := newLab(t)
	l.media = l.https
	p := l.run(secureSite, secureURL+"/api/v1/site")
	p.listensOn(fmt.Sprint("tcp ", l.admin), fmt.Sprint("tcp ", l.http), fmt.Sprint("tcp ", l.https), fmt.Sprint("udp ", l.https))
	l.call(secureURL, "127.0.0.1", udp4).over("udp", "127.0.0.1", l.https)
}

// TestPlainSite: without HTTPS a site takes calls on its own port, on its own
// addresses.
func TestPlainSite(t *testing.T) {
	l := newLab(t)
	l.media = config.SitePort
	p := l.run(plainSite, plainURL+"/api/v1/site")
	p.listensOn(fmt.Sprint("tcp ", l.admin), fmt.Sprint("tcp ", l.http), fmt.Sprint("udp ", l.http))
	c := l.call(plainURL, "127.0.0.1", udp4)
	c.over("udp", "127.0.0.1", l.http)
	if all, want := c.candidates(), fmt.Sprint("udp 127.0.0.1:", l.http); !slices.Equal(all, []string{want}) {
		t.Errorf("offered are %q, want %q alone", all, want)
	}
	if n := strings.Count(p.log.String(), openedNoTLS); n != 1 || strings.Contains(p.log.String(), adviceProxy) {
		t.Errorf("said %d times that the port has been opened:\n%s", n, p.log)
	}
}

// TestFamilies: over IPv4 and IPv6 a call goes to the address that its page came
// from, with HTTP/3 beside it and without.
func TestFamilies(t *testing.T) {
	if conn, err := net.ListenPacket("udp6", "[::1]:0"); err != nil {
		t.Skip("no IPv6 here:", err)
	} else {
		conn.Close()
	}
	for _, bind := range []string{"", "0.0.0.0", "[::]", "0.0.0.0 [::]", "127.0.0.1 [::1]", "tcp4/0.0.0.0", "[::1]"} {
		for _, protocols := range []string{"h1 h2 h3", "h1 h2"} {
			t.Run(bind+" "+protocols, func(t *testing.T) {
				l := newLab(t)
				l.media = config.SitePort
				l.extraGlobal = servers(protocols)
				site := secureSite
				if bind != "" {
					site = strings.Replace(site, "videoroom", "bind "+bind+"\n\tvideoroom", 1)
				}
				if bind == "[::1]" {
					l.ip = "::1"
				}
				l.load(site)
				l.awaitTLS()
				for _, ip := range []string{"127.0.0.1", "::1"} {
					udp, tcp := udp4, tcp4
					if ip == "::1" {
						udp, tcp = udp6, tcp6
					}
					if ip != l.ip && (bind == "[::1]" || bind == "tcp4/0.0.0.0") {
						continue
					}
					c := l.call(secureURL, ip, udp)
					c.over("udp", ip, l.https)
					if first, want := c.candidates()[0], "udp "+net.JoinHostPort(ip, fmt.Sprint(l.https)); first != want {
						t.Errorf("the first candidate is %s, want %s", first, want)
					}
					c.end()
					if bind != "" && bind != "127.0.0.1 [::1]" {
						continue // TCP is Caddy's own listener everywhere
					}
					c = l.call(secureURL, ip, tcp)
					c.over("tcp", ip, l.https)
					c.end()
				}
			})
		}
	}
}

// TestAdviceWithoutTLS: who serves a site without HTTPS to other machines hears
// what calls need.
func TestAdviceWithoutTLS(t *testing.T) {
	for _, test := range []struct {
		name, sites string
		media       int
		want        bool
	}{
		{"this machine", plainSite, config.SitePort, false},
		{"a name of this machine on all addresses", strings.Replace(plainSite, "\tbind 127.0.0.1\n", "", 1), config.SitePort, false},
		{"a private address", "http://10.1.2.3:HTTP {\n\tbind 127.0.0.1\n\tvideoroom\n}\n", config.SitePort, false},
		{"loopback without a name", "http://:HTTP {\n\tbind 127.0.0.1\n\tvideoroom\n}\n", config.SitePort, false},
		{"all addresses", "http://:HTTP {\n\tvideoroom\n}\n", config.SitePort, true},
		{"all IPv4 addresses", "http://:HTTP {\n\tbind 0.0.0.0\n\tvideoroom\n}\n", config.SitePort, true},
		{"a public name behind a proxy", "http://praxis.example:HTTP {\n\tbind 127.0.0.1\n\tvideoroom\n}\n", config.SitePort, true},
		{"a port for media", "http://praxis.example:HTTP {\n\tbind 127.0.0.1\n\tvideoroom\n}\n", 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t)
			if test.media != 0 {
				l.media = test.media
			}
			file := filepath.Join(l.dir, "log")
			l.extraGlobal = fmt.Sprintf("log {\n\toutput file %s\n}\n", file)
			l.load(test.sites)
			log, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(string(log), adviceProxy); got != 0 && !test.want || got != 1 && test.want {
				t.Errorf("said %d times, want %v:\n%s", got, test.want, log)
			}
			// Beside a port for media that of the site stays closed.
			if opened := strings.Contains(string(log), openedNoTLS); opened != (test.media != 0) {
				t.Errorf("the port of the site has been opened: %v", opened)
			}
		})
	}
}
