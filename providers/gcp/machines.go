package gcp

import "github.com/meridian-fleet/meridian/providers/internal/render"

// GPU products, as NVIDIA's driver names them.
const (
	l4        = "NVIDIA-L4"
	a100SXM40 = "NVIDIA-A100-SXM4-40GB"
	a100SXM80 = "NVIDIA-A100-SXM4-80GB"
	h100      = "NVIDIA-H100-80GB-HBM3"
	h200      = "NVIDIA-H200"
	b200      = "NVIDIA-B200"
	gb200     = "NVIDIA-GB200"
)

// gpuMachines are the instance types with NVIDIA GPUs, from
// https://cloud.google.com/compute/docs/accelerator-optimized-machines.
var gpuMachines = render.Machines{
	"g2-standard-4":  {Count: 1, Product: l4},
	"g2-standard-8":  {Count: 1, Product: l4},
	"g2-standard-12": {Count: 1, Product: l4},
	"g2-standard-16": {Count: 1, Product: l4},
	"g2-standard-24": {Count: 2, Product: l4},
	"g2-standard-32": {Count: 1, Product: l4},
	"g2-standard-48": {Count: 4, Product: l4},
	"g2-standard-96": {Count: 8, Product: l4},
	"a2-highgpu-1g":  {Count: 1, Product: a100SXM40},
	"a2-highgpu-2g":  {Count: 2, Product: a100SXM40},
	"a2-highgpu-4g":  {Count: 4, Product: a100SXM40},
	"a2-highgpu-8g":  {Count: 8, Product: a100SXM40},
	"a2-megagpu-16g": {Count: 16, Product: a100SXM40},
	"a2-ultragpu-1g": {Count: 1, Product: a100SXM80},
	"a2-ultragpu-2g": {Count: 2, Product: a100SXM80},
	"a2-ultragpu-4g": {Count: 4, Product: a100SXM80},
	"a2-ultragpu-8g": {Count: 8, Product: a100SXM80},
	"a3-highgpu-1g":  {Count: 1, Product: h100},
	"a3-highgpu-2g":  {Count: 2, Product: h100},
	"a3-highgpu-4g":  {Count: 4, Product: h100},
	"a3-highgpu-8g":  {Count: 8, Product: h100},
	"a3-edgegpu-8g":  {Count: 8, Product: h100},
	"a3-megagpu-8g":  {Count: 8, Product: h100},
	"a3-ultragpu-8g": {Count: 8, Product: h200},
	"a4-highgpu-8g":  {Count: 8, Product: b200},
	"a4x-highgpu-4g": {Count: 4, Product: gb200},
}
