// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// subcommands are the commands below `caddy videoroom`.
var subcommands = []func() *cobra.Command{hostLinkCommand, checkCommand, auditCommand}

func registerCommands() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "videoroom",
		Usage: "<command>",
		Short: "Prints host links, checks and audits video consultations",
		Long: `
Commands for the video consultations of a Caddy server.

The configuration is the server's own: see the videoroom directive. These
commands talk to the running server through its administration endpoint, as
'caddy reload' does.`,
		CobraFunc: func(cmd *cobra.Command) {
			for _, sub := range subcommands {
				cmd.AddCommand(sub())
			}
		},
	})
}

func hostLinkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "host-link [--site <id>] [--host <id>] [--address <admin>] [--config <path> [--adapter <name>]]",
		Short: "Prints a host's private link",
		Long: `
Prints the private link with which a host opens rooms and admits visitors. The
link stands alone on the first line of the standard output.

Whoever holds the link is the host: hand it over in person or through a channel
you trust, and keep it as a bookmark. The same link is printed every time. It
stays valid until link_generation of the host is raised in the configuration, or
the host's id or the site's id changes; a reload then signs out whoever came in
by it.

Caddy must be running with a configuration that uses videoroom, and with its
administration endpoint switched on.`,
		Example: `  caddy videoroom host-link
  caddy videoroom host-link --site praxis.example --host muster
  caddy videoroom host-link --address unix//run/caddy/admin.sock`,
		Args: cobra.NoArgs,
		RunE: caddycmd.WrapCommandFuncForCobra(printHostLink),
	}
	cmd.Flags().String("site", "", "The id of the site, by default its host name; needed where there are several sites")
	cmd.Flags().String("host", "", "The id of the host; needed where the site has several hosts")
	adminFlags(cmd)
	return cmd
}

// adminFlags are how a command finds the running server.
func adminFlags(cmd *cobra.Command) {
	cmd.Flags().String("address", "", "The administration endpoint, if not the default and not in the configuration")
	cmd.Flags().StringP("config", "c", "", "The configuration file to read the administration endpoint from")
	cmd.Flags().StringP("adapter", "a", "", "The adapter of the configuration file, if it is not JSON")
}

// askAdmin asks the running server and returns its answer.
func askAdmin(fl caddycmd.Flags, method, path string, body io.Reader, limit int64) ([]byte, error) {
	admin, err := caddycmd.DetermineAdminAPIAddress(fl.String("address"), nil, fl.String("config"), fl.String("adapter"))
	if err != nil {
		return nil, fmt.Errorf("finding the administration endpoint: %w", err)
	}
	resp, err := caddycmd.AdminAPIRequest(admin, method, path, nil, body)
	if err != nil {
		return nil, plainly(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return answer, nil
}

// plainly turns what the running Caddy has refused into the sentence that it said.
func plainly(err error) error {
	_, reply, _ := strings.Cut(err.Error(), "caddy responded with error: HTTP ")
	_, body, _ := strings.Cut(reply, ": ")
	var said struct {
		Error string `json:"error"`
	}
	switch {
	case json.Unmarshal([]byte(body), &said) == nil && said.Error != "":
		return errors.New(said.Error)
	case strings.HasPrefix(reply, "404"):
		return errNotBuiltIn
	}
	return fmt.Errorf("asking the running Caddy: %w", err)
}

func printHostLink(fl caddycmd.Flags) (int, error) {
	body, err := json.Marshal(hostLinkRequest{Site: fl.String("site"), Host: fl.String("host")})
	if err != nil {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("writing the request: %w", err)
	}
	answer, err := askAdmin(fl, http.MethodPost, adminHostLink, bytes.NewReader(body), maxAdminBody)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	var found hostLinkResponse
	if err := json.Unmarshal(answer, &found); err != nil {
		return caddy.ExitCodeFailedStartup, fmt.Errorf("reading the answer: %w", err)
	}
	fmt.Println(found.Link)
	return caddy.ExitCodeSuccess, nil
}
