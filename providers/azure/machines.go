package azure

import "github.com/meridian-fleet/meridian/providers/internal/render"

// GPU products, as NVIDIA's driver names them.
const (
	teslaT4    = "Tesla-T4"
	teslaV100  = "Tesla-V100-SXM2-16GB"
	a100PCIe80 = "NVIDIA-A100-80GB-PCIe"
	h100NVL    = "NVIDIA-H100-NVL"
	a10        = "NVIDIA-A10"
	a100SXM40  = "NVIDIA-A100-SXM4-40GB"
	a100SXM80  = "NVIDIA-A100-SXM4-80GB"
	h100       = "NVIDIA-H100-80GB-HBM3"
	h200       = "NVIDIA-H200"
)

// gpuMachines are the instance types with NVIDIA GPUs, from
// https://learn.microsoft.com/azure/virtual-machines/sizes/overview#gpu-accelerated.
var gpuMachines = render.Machines{
	"Standard_NC4as_T4_v3":      {Count: 1, Product: teslaT4},
	"Standard_NC8as_T4_v3":      {Count: 1, Product: teslaT4},
	"Standard_NC16as_T4_v3":     {Count: 1, Product: teslaT4},
	"Standard_NC64as_T4_v3":     {Count: 4, Product: teslaT4},
	"Standard_NC6s_v3":          {Count: 1, Product: teslaV100},
	"Standard_NC12s_v3":         {Count: 2, Product: teslaV100},
	"Standard_NC24s_v3":         {Count: 4, Product: teslaV100},
	"Standard_NC24ads_A100_v4":  {Count: 1, Product: a100PCIe80},
	"Standard_NC48ads_A100_v4":  {Count: 2, Product: a100PCIe80},
	"Standard_NC96ads_A100_v4":  {Count: 4, Product: a100PCIe80},
	"Standard_NC40ads_H100_v5":  {Count: 1, Product: h100NVL},
	"Standard_NC80adis_H100_v5": {Count: 2, Product: h100NVL},
	"Standard_NV36ads_A10_v5":   {Count: 1, Product: a10},
	"Standard_NV72ads_A10_v5":   {Count: 2, Product: a10},
	"Standard_ND96asr_v4":       {Count: 8, Product: a100SXM40},
	"Standard_ND96amsr_A100_v4": {Count: 8, Product: a100SXM80},
	"Standard_ND96isr_H100_v5":  {Count: 8, Product: h100},
	"Standard_ND96is_H100_v5":   {Count: 8, Product: h100},
	"Standard_ND96isr_H200_v5":  {Count: 8, Product: h200},
}
