package machinetypes

// The GPUs of the tables.
var (
	t4    = GPU{Product: "Tesla-T4", Memory: "16Gi"}
	v100  = GPU{Product: "Tesla-V100-SXM2-16GB", Memory: "16Gi"}
	a10g  = GPU{Product: "NVIDIA-A10G", Memory: "24Gi"}
	a10   = GPU{Product: "NVIDIA-A10", Memory: "24Gi"}
	l4    = GPU{Product: "NVIDIA-L4", Memory: "24Gi"}
	l40s  = GPU{Product: "NVIDIA-L40S", Memory: "48Gi"}
	a100  = GPU{Product: "NVIDIA-A100-SXM4-40GB", Memory: "40Gi"}
	a100x = GPU{Product: "NVIDIA-A100-SXM4-80GB", Memory: "80Gi"}
	a100p = GPU{Product: "NVIDIA-A100-80GB-PCIe", Memory: "80Gi"}
	h100  = GPU{Product: "NVIDIA-H100-80GB-HBM3", Memory: "80Gi"}
	h100n = GPU{Product: "NVIDIA-H100-NVL", Memory: "94Gi"}
	h200  = GPU{Product: "NVIDIA-H200", Memory: "141Gi"}
	b200  = GPU{Product: "NVIDIA-B200", Memory: "180Gi"}
	gb200 = GPU{Product: "NVIDIA-GB200", Memory: "186Gi"}
)

func machine(cpus, memory, count int, gpu GPU) Type {
	gpu.Count = count
	return Type{CPUs: cpus, MemoryGiB: memory, GPU: &gpu}
}

var awsGPUs = map[string]Type{
	"p3.2xlarge":       machine(8, 61, 1, v100),
	"p3.8xlarge":       machine(32, 244, 4, v100),
	"p3.16xlarge":      machine(64, 488, 8, v100),
	"p4d.24xlarge":     machine(96, 1152, 8, a100),
	"p4de.24xlarge":    machine(96, 1152, 8, a100x),
	"p5.4xlarge":       machine(16, 256, 1, h100),
	"p5.48xlarge":      machine(192, 2048, 8, h100),
	"p5e.48xlarge":     machine(192, 2048, 8, h200),
	"p5en.48xlarge":    machine(192, 2048, 8, h200),
	"p6-b200.48xlarge": machine(192, 2048, 8, b200),
	"g4dn.xlarge":      machine(4, 16, 1, t4),
	"g4dn.2xlarge":     machine(8, 32, 1, t4),
	"g4dn.4xlarge":     machine(16, 64, 1, t4),
	"g4dn.8xlarge":     machine(32, 128, 1, t4),
	"g4dn.12xlarge":    machine(48, 192, 4, t4),
	"g4dn.16xlarge":    machine(64, 256, 1, t4),
	"g4dn.metal":       machine(96, 384, 8, t4),
	"g5.xlarge":        machine(4, 16, 1, a10g),
	"g5.2xlarge":       machine(8, 32, 1, a10g),
	"g5.4xlarge":       machine(16, 64, 1, a10g),
	"g5.8xlarge":       machine(32, 128, 1, a10g),
	"g5.12xlarge":      machine(48, 192, 4, a10g),
	"g5.16xlarge":      machine(64, 256, 1, a10g),
	"g5.24xlarge":      machine(96, 384, 4, a10g),
	"g5.48xlarge":      machine(192, 768, 8, a10g),
	"g6.xlarge":        machine(4, 16, 1, l4),
	"g6.2xlarge":       machine(8, 32, 1, l4),
	"g6.4xlarge":       machine(16, 64, 1, l4),
	"g6.8xlarge":       machine(32, 128, 1, l4),
	"g6.12xlarge":      machine(48, 192, 4, l4),
	"g6.16xlarge":      machine(64, 256, 1, l4),
	"g6.24xlarge":      machine(96, 384, 4, l4),
	"g6.48xlarge":      machine(192, 768, 8, l4),
	"g6e.xlarge":       machine(4, 32, 1, l40s),
	"g6e.2xlarge":      machine(8, 64, 1, l40s),
	"g6e.4xlarge":      machine(16, 128, 1, l40s),
	"g6e.8xlarge":      machine(32, 256, 1, l40s),
	"g6e.12xlarge":     machine(48, 384, 4, l40s),
	"g6e.16xlarge":     machine(64, 512, 1, l40s),
	"g6e.24xlarge":     machine(96, 768, 4, l40s),
	"g6e.48xlarge":     machine(192, 1536, 8, l40s),
}

var gcpGPUs = map[string]Type{
	"g2-standard-4":  machine(4, 16, 1, l4),
	"g2-standard-8":  machine(8, 32, 1, l4),
	"g2-standard-12": machine(12, 48, 1, l4),
	"g2-standard-16": machine(16, 64, 1, l4),
	"g2-standard-24": machine(24, 96, 2, l4),
	"g2-standard-32": machine(32, 128, 1, l4),
	"g2-standard-48": machine(48, 192, 4, l4),
	"g2-standard-96": machine(96, 384, 8, l4),
	"a2-highgpu-1g":  machine(12, 85, 1, a100),
	"a2-highgpu-2g":  machine(24, 170, 2, a100),
	"a2-highgpu-4g":  machine(48, 340, 4, a100),
	"a2-highgpu-8g":  machine(96, 680, 8, a100),
	"a2-megagpu-16g": machine(96, 1360, 16, a100),
	"a2-ultragpu-1g": machine(12, 170, 1, a100x),
	"a2-ultragpu-2g": machine(24, 340, 2, a100x),
	"a2-ultragpu-4g": machine(48, 680, 4, a100x),
	"a2-ultragpu-8g": machine(96, 1360, 8, a100x),
	"a3-highgpu-1g":  machine(26, 234, 1, h100),
	"a3-highgpu-2g":  machine(52, 468, 2, h100),
	"a3-highgpu-4g":  machine(104, 936, 4, h100),
	"a3-highgpu-8g":  machine(208, 1872, 8, h100),
	"a3-edgegpu-8g":  machine(208, 1872, 8, h100),
	"a3-megagpu-8g":  machine(208, 1872, 8, h100),
	"a3-ultragpu-8g": machine(224, 2952, 8, h200),
	"a4-highgpu-8g":  machine(224, 3968, 8, b200),
	"a4x-highgpu-4g": machine(140, 884, 4, gb200),
}

var azureGPUs = map[string]Type{
	"Standard_NC4as_T4_v3":      machine(4, 28, 1, t4),
	"Standard_NC8as_T4_v3":      machine(8, 56, 1, t4),
	"Standard_NC16as_T4_v3":     machine(16, 110, 1, t4),
	"Standard_NC64as_T4_v3":     machine(64, 440, 4, t4),
	"Standard_NC6s_v3":          machine(6, 112, 1, v100),
	"Standard_NC12s_v3":         machine(12, 224, 2, v100),
	"Standard_NC24s_v3":         machine(24, 448, 4, v100),
	"Standard_NC24ads_A100_v4":  machine(24, 220, 1, a100p),
	"Standard_NC48ads_A100_v4":  machine(48, 440, 2, a100p),
	"Standard_NC96ads_A100_v4":  machine(96, 880, 4, a100p),
	"Standard_NC40ads_H100_v5":  machine(40, 320, 1, h100n),
	"Standard_NC80adis_H100_v5": machine(80, 640, 2, h100n),
	"Standard_NV36ads_A10_v5":   machine(36, 440, 1, a10),
	"Standard_NV72ads_A10_v5":   machine(72, 880, 2, a10),
	"Standard_ND96asr_v4":       machine(96, 900, 8, a100),
	"Standard_ND96amsr_A100_v4": machine(96, 1900, 8, a100x),
	"Standard_ND96isr_H100_v5":  machine(96, 1900, 8, h100),
	"Standard_ND96is_H100_v5":   machine(96, 1900, 8, h100),
	"Standard_ND96isr_H200_v5":  machine(96, 1850, 8, h200),
}
