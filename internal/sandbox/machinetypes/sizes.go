package machinetypes

import (
	"regexp"
	"strconv"
)

var (
	awsName   = regexp.MustCompile(`^([a-z])[0-9]+[a-z-]*\.(?:(nano|micro|small|medium|large|xlarge)|([0-9]+)xlarge)$`)
	gcpName   = regexp.MustCompile(`^(?:e2|n1|n2|n2d|n4|c2|c2d|c3|c3d|c4|c4a|t2d|t2a)-(standard|highmem|highcpu)-([0-9]+)$`)
	azureName = regexp.MustCompile(`^Standard_([ABDEF])([0-9]+)[a-z]*(?:_v[0-9]+)?$`)
)

// Memory for each CPU, in GiB.
var (
	awsMemory   = map[string]int{"c": 2, "m": 4, "t": 4, "r": 8, "i": 8, "x": 16}
	gcpMemory   = map[string]int{"highcpu": 1, "standard": 4, "highmem": 8}
	azureMemory = map[string]int{"A": 2, "F": 2, "B": 4, "D": 4, "E": 8}
)

// The small sizes of AWS have two CPUs and less memory than their family's rule.
var awsSmall = map[string]Type{
	"nano":   {CPUs: 2, MemoryGiB: 1},
	"micro":  {CPUs: 2, MemoryGiB: 1},
	"small":  {CPUs: 2, MemoryGiB: 2},
	"medium": {CPUs: 2, MemoryGiB: 4},
}

func awsSize(name string) (Type, bool) {
	parts := awsName.FindStringSubmatch(name)
	if parts == nil {
		return Type{}, false
	}
	memory, known := awsMemory[parts[1]]
	if !known {
		return Type{}, false
	}
	if small, ok := awsSmall[parts[2]]; ok {
		return small, true
	}
	switch parts[2] {
	case "large":
		return sized(2, memory)
	case "xlarge":
		return sized(4, memory)
	}
	return sized(4*number(parts[3]), memory)
}

func gcpSize(name string) (Type, bool) {
	if parts := gcpName.FindStringSubmatch(name); parts != nil {
		return sized(number(parts[2]), gcpMemory[parts[1]])
	}
	switch name {
	case "e2-micro", "e2-small", "e2-medium":
		return awsSmall[name[len("e2-"):]], true
	}
	return Type{}, false
}

func azureSize(name string) (Type, bool) {
	parts := azureName.FindStringSubmatch(name)
	if parts == nil {
		return Type{}, false
	}
	return sized(number(parts[2]), azureMemory[parts[1]])
}

func sized(cpus, memoryEach int) (Type, bool) {
	return Type{CPUs: cpus, MemoryGiB: cpus * memoryEach}, cpus > 0 && cpus <= 1024
}

func number(digits string) int {
	value, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return value
}
