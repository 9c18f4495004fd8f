// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"os"
	"os/signal"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/caddy-videoroom/videoroom/check"
)

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check <url> [--insecure] [--proxy <url>] [--report] [--duration <time>] [--timeout <time>]",
		Short: "Tests a site's video consultation from outside",
		Long: `
Joins a test room of the site the way two browsers do, sends sound, picture and
data from one to the other, and says in plain words what works, what does not
and what to do. It changes nothing on the site and disturbs no call.

Run it from another network than the server's: that is where visitors are, and
where a firewall shows.

The exit code is 0 when everything works, 1 when something does not, and 2 when
the address cannot be used.`,
		Example: `  caddy videoroom check https://praxis.example/video
  caddy videoroom check --insecure https://localhost/video`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().Bool("insecure", false, "Accept any certificate, for a site with an internal one")
	cmd.Flags().String("proxy", "", "An HTTP proxy to go through, for example http://proxy.example:3128")
	cmd.Flags().Bool("report", false, "Add a page for the IT department that must let calls through")
	cmd.Flags().Duration("duration", 0, "How long sound and picture flow (5s)")
	cmd.Flags().Duration("timeout", 0, "How long each step before may take (15s)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return caddycmd.WrapCommandFuncForCobra(func(fl caddycmd.Flags) (int, error) {
			return checkSite(cmd, args[0], fl)
		})(cmd, args)
	}
	return cmd
}

func checkSite(cmd *cobra.Command, url string, fl caddycmd.Flags) (int, error) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	options := check.Options{
		Insecure: fl.Bool("insecure"), Proxy: fl.String("proxy"), Report: fl.Bool("report"),
		Duration: fl.Duration("duration"), Timeout: fl.Duration("timeout"),
	}
	code := check.Run(ctx, url, options, os.Stdout)
	if code == check.ExitOK {
		return caddy.ExitCodeSuccess, nil
	}
	return code, errFindings
}
