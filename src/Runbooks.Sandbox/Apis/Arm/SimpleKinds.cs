namespace Runbooks.Sandbox.Apis.Arm;

internal sealed class SiteKind() : ArmKind("microsoft.web/sites")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        var site = Resource(request);
        if (request.Is("POST", "restart"))
        {
            site["_restarts"] = (int)site["_restarts"]! + 1;
            return Results.Ok();
        }

        if (request.Is("PATCH") && request.Body is { } changes)
        {
            Merge(site, changes);
        }

        return request.Is("GET") || request.Is("PATCH") ? Json(site) : null;
    }

    protected override JsonObject Begin(ArmRequest request)
    {
        var site = Envelope(request, "Microsoft.Web/sites", new JsonObject { ["state"] = "Running" });
        site["_restarts"] = 0;
        return site;
    }
}

internal sealed class ContainerAppKind() : ArmKind("microsoft.app/containerapps")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        var app = Resource(request);
        switch (request.Rest)
        {
            case []:
                if (request.Method == "PATCH" && request.Body is { } changes)
                {
                    Merge(app, changes);
                }

                return request.Method is "GET" or "PATCH" ? Json(app) : null;
            case ["revisions", var revision] when request.Method == "GET":
                return Json(new JsonObject
                {
                    ["name"] = revision,
                    ["properties"] = new JsonObject
                    {
                        ["active"] = string.Equals(
                            revision, (string?)app["properties"]!["latestReadyRevisionName"], StringComparison.OrdinalIgnoreCase),
                    },
                });
            case ["revisions", _, "restart"] when request.Method == "POST":
                app["_restarts"] = (int)app["_restarts"]! + 1;
                return Results.Ok();
            default:
                return null;
        }
    }

    protected override JsonObject Begin(ArmRequest request)
    {
        var app = Envelope(
            request,
            "Microsoft.App/containerApps",
            new JsonObject { ["latestReadyRevisionName"] = $"{request.Name}--r1".ToLowerInvariant() });
        app["_restarts"] = 0;
        return app;
    }
}

internal sealed class AlertKind() : ArmKind("microsoft.alertsmanagement/alerts")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        var alert = Resource(request);
        if (request.Is("POST", "changestate") && request.Http.Query["newState"].ToString() is "New" or "Acknowledged" or "Closed")
        {
            alert["properties"]!["essentials"]!["alertState"] = request.Http.Query["newState"].ToString();
            return Json(alert);
        }

        return request.Is("GET") ? Json(alert) : null;
    }

    protected override JsonObject Begin(ArmRequest request) => Envelope(request, "Microsoft.AlertsManagement/alerts", new JsonObject
    {
        ["essentials"] = new JsonObject { ["severity"] = "Sev1", ["alertState"] = "New", ["monitorCondition"] = "Fired" },
    });
}

/// <summary>AKS clusters with the address of their API server: <c>aks-b</c> is the sandbox's own cluster <c>b</c>.</summary>
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
        Envelope(
            request,
            "Microsoft.ContainerService/managedClusters",
            new JsonObject { ["provisioningState"] = "Succeeded", ["disableLocalAccounts"] = true });

    // As AKS writes it for a cluster with Entra sign-in, but without a certificate, since loopback has none.
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

/// <summary>The scale sets of the nodes. Reimaging an instance also reinstalls its node.</summary>
internal sealed class ScaleSetKind(SandboxClusters clusters) : ArmKind("microsoft.compute/virtualmachinescalesets")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        if (request.Rest.Count < 2 || clusters.FindNode($"{request.Root}/virtualMachines/{request.Rest[1]}") is not { } found)
        {
            return null;
        }

        return (request.Method, request.Rest) switch
        {
            ("GET", ["virtualmachines", var instance]) => Json(new JsonObject
            {
                ["id"] = found.Node.ResourceId,
                ["instanceId"] = instance,
                ["name"] = found.Node.Name,
                ["properties"] = new JsonObject { ["provisioningState"] = "Succeeded" },
            }),
            ("POST", ["virtualmachines", _, "reimage"]) => operations.Accept(request, () =>
            {
                found.Cluster.Reimage(found.Node);
                return null;
            }),
            _ => null,
        };
    }

    protected override JsonObject Begin(ArmRequest request) => Envelope(request, "Microsoft.Compute/virtualMachineScaleSets", []);
}

/// <summary>
/// Virtual machines with a disk that is almost full, mostly of old files in /var/tmp. It runs no scripts: it recognises those that look,
/// count and delete by what they print.
/// </summary>
internal sealed class VirtualMachineKind(SandboxChanges changes) : ArmKind("microsoft.compute/virtualmachines")
{
    /// <summary>Of the disk, without the part that the file system keeps for root.</summary>
    private const long Size = 64L * 1024 * 1024 * 1024;
    private const int Files = 12_408;

    private const string Full = "/var/tmp", Empty = "/tmp";

    private bool _empty;

    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        var machine = Resource(request);
        if (request.Is("POST", "runcommand") && request.Body?["script"] is JsonArray script)
        {
            var lines = script.Select(line => (string?)line ?? "").ToList();
            return operations.Accept(request, () => Output(Run(machine, lines)));
        }

        if (request.Is("PATCH") && request.Body is { } changes)
        {
            Merge(machine, changes);
        }

        return request.Is("GET") || request.Is("PATCH") ? Json(machine) : null;
    }

    protected override JsonObject Begin(ArmRequest request)
    {
        var machine = Envelope(request, "Microsoft.Compute/virtualMachines", new JsonObject { ["provisioningState"] = "Succeeded" });
        machine["_disk"] = new JsonObject { ["other"] = Size / 100 * 52 };
        Put(machine["_disk"]!.AsObject(), _empty ? 0 : Files);
        return machine;
    }

    public override void Reset()
    {
        base.Reset();
        _empty = false;
    }

    /// <summary>Whether there are old files on one of them, or on the next machine that is asked for.</summary>
    public bool AreFull => Resources.Count == 0 ? !_empty : Disks.Any(disk => disk["tempFiles"]!.GetValue<int>() > 0);

    public void Fill() => PutAll(Files);

    public void CleanUp() => PutAll(0);

    private IEnumerable<JsonObject> Disks => Resources.Values.Select(machine => machine["_disk"]!.AsObject());

    private void PutAll(int files)
    {
        _empty = files == 0;
        foreach (var disk in Disks)
        {
            lock (disk)
            {
                Put(disk, files);
            }
        }

        changes.Touch();
    }

    private static void Put(JsonObject disk, int files) => (disk["tempFiles"], disk["tempBytes"]) = (files, files == 0 ? 0L : Size / 100 * 42);

    private static string Run(JsonObject machine, List<string> lines)
    {
        var disk = machine["_disk"]!.AsObject();
        var isFull = lines.Contains($"folder='{Full}'");
        if (!isFull && !lines.Contains($"folder='{Empty}'"))
        {
            return "runbook: none";
        }

        lock (disk)
        {
            var (files, bytes) = (disk["tempFiles"]!.GetValue<int>(), Long(disk["tempBytes"]!));
            if (lines.Exists(line => line.StartsWith("df ", StringComparison.Ordinal)))
            {
                var used = Long(disk["other"]!) + bytes;
                return $"runbook: used={used} available={Size - used} mount=/";
            }

            if (!isFull)
            {
                return "runbook: files=0 bytes=0";
            }

            if (lines.Exists(line => line.Contains("-delete", StringComparison.Ordinal)))
            {
                Put(disk, 0);
            }

            return $"runbook: files={files} bytes={bytes}";
        }
    }

    private static long Long(JsonNode node) => long.Parse(node.ToJsonString(), CultureInfo.InvariantCulture);

    private static JsonObject Output(string said) => new()
    {
        ["value"] = new JsonArray(new JsonObject
        {
            ["code"] = "ProvisioningState/succeeded",
            ["level"] = "Info",
            ["displayStatus"] = "Provisioning succeeded",
            ["message"] = $"Enable succeeded: \n[stdout]\n{said}\n\n[stderr]\n",
        }),
    };
}
