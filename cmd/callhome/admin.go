package main

import "github.com/spf13/cobra"

// admin holds what the operator of a back end does; each thing to administer is a file admin_<thing>.go.
func (a *app) admin() *cobra.Command {
	return group("admin", "Administer the back end",
		a.adminCompany(), a.adminUser(), a.adminToken(), a.adminContract(), a.adminDevice(), a.adminEnrol(), a.adminAudit(), a.adminRule(), a.adminAdvisory())
}
