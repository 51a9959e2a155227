// Package simulate is a fleet of devices that log: routers, switches, a firewall, a call manager and a Linux host, each
// in its own dialect, with troubles that begin and end. It serves demos, tests and load; its lines are invented. It owns
// what the devices say and when; simulate/device is their command line. It decides nothing about call home.
package simulate
