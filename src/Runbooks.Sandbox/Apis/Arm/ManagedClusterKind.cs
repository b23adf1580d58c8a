using System.Text;
using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>AKS clusters that say where their API server is: <c>aks-b</c> is the range's own cluster <c>b</c>.</summary>
internal sealed class ManagedClusterKind() : ArmKind("microsoft.containerservice/managedclusters")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        if (request.Is("POST", "listclusterusercredential"))
        {
            var file = Convert.ToBase64String(Encoding.UTF8.GetBytes(KubeConfig(request)));
            return Json(new JsonObject { ["kubeconfigs"] = new JsonArray(new JsonObject { ["name"] = "clusterUser", ["value"] = file }) });
        }

        return request.Is("GET") ? Json(Resource(request)) : null;
    }

    protected override JsonObject Begin(ArmRequest request) =>
        Envelope(request, "Microsoft.ContainerService/managedClusters", new JsonObject { ["provisioningState"] = "Succeeded", ["disableLocalAccounts"] = true });

    // As AKS writes it for a cluster with Entra sign-in; its certificate is missing because loopback has none.
    private static string KubeConfig(ArmRequest request) =>
        $"""
        apiVersion: v1
        kind: Config
        clusters:
        - name: {request.Name}
          cluster:
            server: {request.Http.Scheme}://{request.Http.Host}/kubernetes/{request.Name[(request.Name.LastIndexOf('-') + 1)..]}
        contexts:
        - name: {request.Name}
          context: {"{"} cluster: {request.Name}, user: clusterUser {"}"}
        current-context: {request.Name}
        users:
        - name: clusterUser
          user:
            exec:
              apiVersion: client.authentication.k8s.io/v1beta1
              command: kubelogin
              args: [get-token, --server-id, 6dae42f8-4368-4678-94ff-3960e28e3630]
        """;
}
