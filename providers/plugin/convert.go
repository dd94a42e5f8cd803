package plugin

import (
	"encoding/json"

	"github.com/meridian-fleet/meridian/providers"
	providerv1 "github.com/meridian-fleet/meridian/providers/proto/v1"
)

func descriptionToWire(d providers.Description) *providerv1.DescribeResponse {
	response := &providerv1.DescribeResponse{Name: d.Name, Version: d.Version}
	for _, capability := range d.Capabilities {
		response.Capabilities = append(response.Capabilities, string(capability))
	}
	for _, region := range d.Regions {
		response.Regions = append(response.Regions, &providerv1.Region{
			Id: region.ID, DisplayName: region.DisplayName, City: region.City, Country: region.Country,
			Partition: region.Partition, Operator: region.Operator, Jurisdictions: region.Jurisdictions,
			OptIn: region.OptIn, ReplicaPair: region.ReplicaPair,
		})
	}
	return response
}

func descriptionFromWire(response *providerv1.DescribeResponse) providers.Description {
	description := providers.Description{Name: response.GetName(), Version: response.GetVersion()}
	for _, capability := range response.GetCapabilities() {
		description.Capabilities = append(description.Capabilities, providers.Capability(capability))
	}
	for _, region := range response.GetRegions() {
		description.Regions = append(description.Regions, providers.Region{
			ID: region.GetId(), DisplayName: region.GetDisplayName(), City: region.GetCity(), Country: region.GetCountry(),
			Partition: region.GetPartition(), Operator: region.GetOperator(), Jurisdictions: region.GetJurisdictions(),
			OptIn: region.GetOptIn(), ReplicaPair: region.GetReplicaPair(),
		})
	}
	return description
}

func requestToWire(r providers.ClusterRequest) *providerv1.ClusterObjectsRequest {
	request := &providerv1.ClusterObjectsRequest{
		Name: r.Name, Namespace: r.Namespace, Region: r.Region, KubernetesVersion: r.KubernetesVersion,
		Labels: r.Labels, Account: r.Account,
	}
	for _, pool := range r.NodePools {
		request.NodePools = append(request.NodePools, poolToWire(pool))
	}
	return request
}

func poolToWire(pool providers.NodePool) *providerv1.NodePool {
	wire := &providerv1.NodePool{
		Name: pool.Name, Replicas: int64(pool.Replicas), InstanceType: pool.InstanceType, Labels: pool.Labels,
	}
	for _, taint := range pool.Taints {
		wire.Taints = append(wire.Taints, &providerv1.Taint{Key: taint.Key, Value: taint.Value, Effect: taint.Effect})
	}
	if gpu := pool.GPU; gpu != nil {
		wire.Gpu = &providerv1.GPU{
			Product: gpu.Product, Count: int64(gpu.Count), Memory: gpu.Memory, DriverVersion: gpu.DriverVersion,
		}
	}
	return wire
}

func requestFromWire(request *providerv1.ClusterObjectsRequest) providers.ClusterRequest {
	r := providers.ClusterRequest{
		Name: request.GetName(), Namespace: request.GetNamespace(), Region: request.GetRegion(),
		KubernetesVersion: request.GetKubernetesVersion(), Labels: request.GetLabels(), Account: request.GetAccount(),
	}
	for _, pool := range request.GetNodePools() {
		r.NodePools = append(r.NodePools, poolFromWire(pool))
	}
	return r
}

func poolFromWire(wire *providerv1.NodePool) providers.NodePool {
	pool := providers.NodePool{
		Name: wire.GetName(), Replicas: int(wire.GetReplicas()), InstanceType: wire.GetInstanceType(), Labels: wire.GetLabels(),
	}
	for _, taint := range wire.GetTaints() {
		pool.Taints = append(pool.Taints, providers.Taint{Key: taint.GetKey(), Value: taint.GetValue(), Effect: taint.GetEffect()})
	}
	if gpu := wire.GetGpu(); gpu != nil {
		pool.GPU = &providers.GPU{
			Product: gpu.GetProduct(), Count: int(gpu.GetCount()), Memory: gpu.GetMemory(), DriverVersion: gpu.GetDriverVersion(),
		}
	}
	return pool
}

func objectsToWire(objects providers.ClusterObjects) *providerv1.ClusterObjectsResponse {
	response := &providerv1.ClusterObjectsResponse{}
	for _, object := range objects.Objects {
		response.Objects = append(response.Objects, object)
	}
	return response
}

func objectsFromWire(response *providerv1.ClusterObjectsResponse) (providers.ClusterObjects, error) {
	var objects providers.ClusterObjects
	for i, object := range response.GetObjects() {
		if !json.Valid(object) {
			return providers.ClusterObjects{}, providers.Errorf(providers.KindInternal, "object %d from the plugin is not JSON", i)
		}
		objects.Objects = append(objects.Objects, object)
	}
	return objects, nil
}
