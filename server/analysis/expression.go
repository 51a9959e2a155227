package analysis

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// Bounds of expressions: the longest shipped one has 30 nodes; the budget is of elements that one run may make.
const (
	maxNodes     = 200
	memoryBudget = 10000
)

// condition is a compiled expression. All names are text in it but severity, count and rise; num reads the number at the beginning of a text.
type condition struct {
	program *vm.Program
	names   []string // captured names
}

func compileCondition(source string, known map[string]bool) (*condition, error) {
	if source == "" {
		return nil, nil
	}
	if len(source) > maxExpression {
		return nil, fmt.Errorf("is longer than %d bytes", maxExpression)
	}
	c := &condition{}
	env := map[string]any{}
	for name := range known {
		env[name] = ""
		c.names = append(c.names, name)
	}
	env["severity"], env["count"], env["rise"] = 0, 0, 0.0
	program, err := expr.Compile(source, expr.Env(env), expr.AsBool(), expr.MaxNodes(maxNodes), expr.DisableBuiltin("repeat"),
		expr.Function("num", func(args ...any) (any, error) { return number(args[0].(string)), nil }, new(func(string) float64)))
	if err != nil {
		return nil, fmt.Errorf("%s", strings.Join(strings.Fields(err.Error()), " "))
	}
	c.program = program
	return c, nil
}

// holds runs the expression; no expression holds.
func (c *condition) holds(v *values) (bool, error) {
	if c == nil {
		return true, nil
	}
	env := make(map[string]any, len(c.names))
	for _, name := range c.names {
		env[name] = v.get(name)
	}
	env["severity"], env["count"], env["rise"] = int(v.f.level), v.count, v.rise
	machine := vm.VM{MemoryBudget: memoryBudget}
	out, err := machine.Run(c.program, env)
	if err != nil {
		return false, err
	}
	yes, ok := out.(bool)
	if !ok {
		return false, fmt.Errorf("the expression gave %T, not true or false", out)
	}
	return yes, nil
}

// number reads the number that a text begins with: "91%", "1,024 KB", "-12.5 C". Without one it is not a number, which is
// neither above nor below anything.
func number(s string) float64 {
	s = strings.TrimLeft(s, " \t+")
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.' || s[n] == ',' || s[n] == '-' && n == 0) {
		n++
	}
	v, err := strconv.ParseFloat(strings.TrimRight(strings.ReplaceAll(s[:n], ",", ""), "."), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}
