// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/quic-go/quic-go/http3"
)

const (
	downloadName = "download.bin"
	downloadSize = 20 << 20
)

var errNotHTTP3 = errors.New("the answer did not come over HTTP/3")

// download is what fetching over HTTP/3 cost.
type download struct {
	Bytes     int64   `json:"bytes"`
	ServerCPU float64 `json:"server_cpu"` // seconds
	Seconds   float64 `json:"seconds"`
}

// http3Command compares what downloads over HTTP/3 cost a Caddy without the
// directive, and one whose HTTP/3 shares its socket with calls.
func http3Command(args []string) error {
	fs := flag.NewFlagSet("http3", flag.ExitOnError)
	megabytes := fs.Int("megabytes", 600, "how much is fetched from each server in each round")
	rounds := fs.Int("rounds", 5, "rounds, interleaved")
	_ = fs.Parse(args)
	dir, err := os.MkdirTemp("", "videoroom-bench-")
	if err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary, err := buildVideoroom(dir)
	if err != nil {
		return err
	}
	names, cost := []string{"caddy", "caddy-calls"}, map[string][]float64{}
	for r := range *rounds {
		order := slices.Clone(names)
		if r%2 == 1 {
			slices.Reverse(order)
		}
		for _, n := range order {
			d, err := fetchFrom(servers[n], binary, dir, *megabytes)
			if err != nil {
				return fmt.Errorf("%s: %w", n, err)
			}
			perGiB := d.ServerCPU / (float64(d.Bytes) / (1 << 30))
			fmt.Fprintf(os.Stderr, "%s: %.2f CPU-s per GiB, %.0f MB/s\n", n, perGiB, float64(d.Bytes)/1e6/d.Seconds)
			cost[n] = append(cost[n], perGiB)
		}
	}
	for _, v := range cost {
		slices.Sort(v)
	}
	base := cost[names[0]][*rounds/2]
	fmt.Println("\n| server | CPU-s per GiB over HTTP/3 | ratio |\n|---|---|---|")
	for _, n := range names {
		m := cost[n][*rounds/2]
		fmt.Printf("| %s | %.2f | %.2f |\n", n, m, m/base)
	}
	return nil
}

// fetchFrom starts a server, fetches from it in a process of its own, and stops
// it.
func fetchFrom(s server, binary, dir string, megabytes int) (*download, error) {
	home, err := os.MkdirTemp(dir, s.name)
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	if err := os.WriteFile(filepath.Join(home, downloadName), make([]byte, downloadSize), 0o600); err != nil {
		return nil, fmt.Errorf("writing what is fetched: %w", err)
	}
	cmd, err := s.start(binary, home, "0")
	if err != nil {
		return nil, err
	}
	defer stop(cmd)
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	fetch := exec.Command("taskset", "-c", "1", self, "fetch", "-url", s.url+"/"+downloadName,
		"-megabytes", strconv.Itoa(megabytes), "-pid", strconv.Itoa(cmd.Process.Pid))
	fetch.Stderr = os.Stderr
	out, err := fetch.Output()
	if err != nil {
		return nil, fmt.Errorf("fetching: %w", err)
	}
	d := new(download)
	return d, json.Unmarshal(out, d)
}

func fetchCommand(args []string) error {
	fs := flag.NewFlagSet("fetch", flag.ExitOnError)
	url := fs.String("url", "", "what to fetch")
	megabytes := fs.Int64("megabytes", 600, "how much in all")
	pid := fs.Int("pid", 0, "the server's process, to measure")
	_ = fs.Parse(args)
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // this machine's own
	defer func() { _ = transport.Close() }()
	web := &http.Client{Transport: transport}
	if _, err := fetchOnce(web, *url); err != nil { // the handshake does not count
		return err
	}
	var d download
	begin, cpu := time.Now(), cpuSeconds(*pid)
	for d.Bytes < *megabytes<<20 {
		n, err := fetchOnce(web, *url)
		if err != nil {
			return err
		}
		d.Bytes += n
	}
	d.ServerCPU, d.Seconds = cpuSeconds(*pid)-cpu, time.Since(begin).Seconds()
	return json.NewEncoder(os.Stdout).Encode(d)
}

func fetchOnce(web *http.Client, url string) (int64, error) {
	res, err := web.Get(url)
	if err != nil {
		return 0, fmt.Errorf("fetching: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.ProtoMajor != 3 || res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%w: %s, %s", errNotHTTP3, res.Proto, res.Status)
	}
	n, err := io.Copy(io.Discard, res.Body)
	if err != nil {
		return n, fmt.Errorf("reading: %w", err)
	}
	return n, nil
}
