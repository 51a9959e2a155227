// Package simulate is a fleet of devices that log and call home: routers, switches, a firewall, a call manager and a Linux
// host, each in its own dialect, with troubles that begin and end. It serves demos, tests and load; its lines are invented.
// It owns what the devices say and when, and counts what a Load of it came to; simulate/device is their command line. It
// decides nothing about call home, and follows no redirect to where it was not pointed.
package simulate
