package aws

import "github.com/meridian-fleet/meridian/providers/internal/render"

// GPU products, as NVIDIA's driver names them.
const (
	teslaV100 = "Tesla-V100-SXM2-16GB"
	a100SXM40 = "NVIDIA-A100-SXM4-40GB"
	a100SXM80 = "NVIDIA-A100-SXM4-80GB"
	h100      = "NVIDIA-H100-80GB-HBM3"
	h200      = "NVIDIA-H200"
	b200      = "NVIDIA-B200"
	teslaT4   = "Tesla-T4"
	a10G      = "NVIDIA-A10G"
	l4        = "NVIDIA-L4"
	l40S      = "NVIDIA-L40S"
)

// gpuMachines are the instance types with NVIDIA GPUs, from
// https://docs.aws.amazon.com/ec2/latest/instancetypes/ac.html.
var gpuMachines = render.Machines{
	"p3.2xlarge":       {Count: 1, Product: teslaV100},
	"p3.8xlarge":       {Count: 4, Product: teslaV100},
	"p3.16xlarge":      {Count: 8, Product: teslaV100},
	"p4d.24xlarge":     {Count: 8, Product: a100SXM40},
	"p4de.24xlarge":    {Count: 8, Product: a100SXM80},
	"p5.4xlarge":       {Count: 1, Product: h100},
	"p5.48xlarge":      {Count: 8, Product: h100},
	"p5e.48xlarge":     {Count: 8, Product: h200},
	"p5en.48xlarge":    {Count: 8, Product: h200},
	"p6-b200.48xlarge": {Count: 8, Product: b200},
	"g4dn.xlarge":      {Count: 1, Product: teslaT4},
	"g4dn.2xlarge":     {Count: 1, Product: teslaT4},
	"g4dn.4xlarge":     {Count: 1, Product: teslaT4},
	"g4dn.8xlarge":     {Count: 1, Product: teslaT4},
	"g4dn.12xlarge":    {Count: 4, Product: teslaT4},
	"g4dn.16xlarge":    {Count: 1, Product: teslaT4},
	"g4dn.metal":       {Count: 8, Product: teslaT4},
	"g5.xlarge":        {Count: 1, Product: a10G},
	"g5.2xlarge":       {Count: 1, Product: a10G},
	"g5.4xlarge":       {Count: 1, Product: a10G},
	"g5.8xlarge":       {Count: 1, Product: a10G},
	"g5.12xlarge":      {Count: 4, Product: a10G},
	"g5.16xlarge":      {Count: 1, Product: a10G},
	"g5.24xlarge":      {Count: 4, Product: a10G},
	"g5.48xlarge":      {Count: 8, Product: a10G},
	"g6.xlarge":        {Count: 1, Product: l4},
	"g6.2xlarge":       {Count: 1, Product: l4},
	"g6.4xlarge":       {Count: 1, Product: l4},
	"g6.8xlarge":       {Count: 1, Product: l4},
	"g6.12xlarge":      {Count: 4, Product: l4},
	"g6.16xlarge":      {Count: 1, Product: l4},
	"g6.24xlarge":      {Count: 4, Product: l4},
	"g6.48xlarge":      {Count: 8, Product: l4},
	"g6e.xlarge":       {Count: 1, Product: l40S},
	"g6e.2xlarge":      {Count: 1, Product: l40S},
	"g6e.4xlarge":      {Count: 1, Product: l40S},
	"g6e.8xlarge":      {Count: 1, Product: l40S},
	"g6e.12xlarge":     {Count: 4, Product: l40S},
	"g6e.16xlarge":     {Count: 1, Product: l40S},
	"g6e.24xlarge":     {Count: 4, Product: l40S},
	"g6e.48xlarge":     {Count: 8, Product: l40S},
}
