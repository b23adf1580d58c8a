namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>Front Door profiles. Every origin group has the origins <c>cluster-a</c> and <c>cluster-b</c>. Changes are long-running.</summary>
internal sealed class FrontDoorKind() : ArmKind("microsoft.cdn/profiles")
{
    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        var groups = (JsonObject)Resource(request)["_groups"]!;
        if (request.Rest is not ["origingroups", var name, ..])
        {
            return null;
        }

        lock (groups)
        {
            var group = groups[name] as JsonObject ?? (JsonObject)(groups[name] = Group(request, name));
            var origins = (JsonArray)group["_origins"]!;
            switch (request.Rest)
            {
                case [_, _] when request.Method == "GET":
                    return Json(group);
                case [_, _] when (request.Method == "PATCH" && request.Body?["properties"] is JsonObject settings):
                    return operations.Accept(request, () =>
                    {
                        Merge((JsonObject)group["properties"]!, settings);
                        return group;
                    }, written: () => group["properties"]);
                case [_, _, "origins"] when request.Method == "GET":
                    return Json(new JsonObject { ["value"] = origins.DeepClone() });
                case not [_, _, "origins", _]:
                    return null;
            }

            var origin = origins.OfType<JsonObject>().FirstOrDefault(one => (string?)one["name"] == request.Rest[3]);
            return (request.Method, origin) switch
            {
                (_, null) => null,
                ("GET", _) => Json(origin),
                ("PATCH", _) when request.Body?["properties"] is JsonObject changes => operations.Accept(request, () =>
                {
                    Merge((JsonObject)origin["properties"]!, changes);
                    return origin;
                }, written: () => origin["properties"]),
                _ => null,
            };
        }
    }

    protected override JsonObject Begin(ArmRequest request)
    {
        var profile = Envelope(request, "Microsoft.Cdn/profiles", new JsonObject { ["resourceState"] = "Active" });
        profile["_groups"] = new JsonObject();
        return profile;
    }

    private static JsonObject Group(ArmRequest request, string name) => new()
    {
        ["id"] = $"{request.Root}/originGroups/{name}",
        ["name"] = name,
        ["type"] = "Microsoft.Cdn/profiles/originGroups",
        ["properties"] = new JsonObject
        {
            ["healthProbeSettings"] = new JsonObject
            {
                ["probePath"] = "/healthz",
                ["probeRequestType"] = "HEAD",
                ["probeProtocol"] = "Https",
                ["probeIntervalInSeconds"] = 30,
            },
            ["loadBalancingSettings"] = new JsonObject
            {
                ["sampleSize"] = 4,
                ["successfulSamplesRequired"] = 3,
                ["additionalLatencyInMilliseconds"] = 50,
            },
            ["provisioningState"] = "Succeeded",
        },
        ["_origins"] = new JsonArray(Origin(request, name, "cluster-a"), Origin(request, name, "cluster-b")),
    };

    private static JsonObject Origin(ArmRequest request, string group, string name) => new()
    {
        ["id"] = $"{request.Root}/originGroups/{group}/origins/{name}",
        ["name"] = name,
        ["type"] = "Microsoft.Cdn/profiles/originGroups/origins",
        ["properties"] = new JsonObject
        {
            ["hostName"] = $"{name}.practice.example",
            ["enabledState"] = "Enabled",
            ["priority"] = 1,
            ["weight"] = 500,
            ["provisioningState"] = "Succeeded",
        },
    };
}

/// <summary>Traffic Manager profiles with two endpoints, <c>cluster-a</c> and <c>cluster-b</c>, that share the traffic evenly.</summary>
internal sealed class TrafficManagerKind() : ArmKind("microsoft.network/trafficmanagerprofiles")
{
    private const string TypeName = "Microsoft.Network/trafficManagerProfiles";

    public override IResult? Answer(ArmRequest request, ArmOperations operations)
    {
        var profile = Resource(request);
        if (request.Rest.Count == 0)
        {
            if (request.Method == "PATCH" && request.Body?["properties"] is JsonObject settings)
            {
                lock (profile)
                {
                    Merge((JsonObject)profile["properties"]!, settings);
                }
            }

            return request.Method is "GET" or "PATCH" ? Json(profile) : null;
        }

        var endpoint = request.Rest is ["azureendpoints" or "externalendpoints", var name]
            ? Endpoints(profile).FirstOrDefault(one => (string?)one["name"] == name)
            : null;
        if (endpoint is null)
        {
            return null;
        }

        if (request.Method == "PATCH" && request.Body?["properties"] is JsonObject changes)
        {
            lock (profile)
            {
                Merge((JsonObject)endpoint["properties"]!, changes);
            }
        }

        return request.Method is "GET" or "PATCH" ? Json(endpoint) : null;
    }

    /// <summary>Each endpoint's share of the traffic, by name; together 1.</summary>
    public IReadOnlyDictionary<string, double> SharesOf(string profileName)
    {
        var profile = Resources.FirstOrDefault(one => one.Key.EndsWith("/" + profileName, StringComparison.OrdinalIgnoreCase)).Value;
        return profile is null ? new Dictionary<string, double> { ["cluster-a"] = 0.5, ["cluster-b"] = 0.5 } : SharesOf(profile);
    }

    private static Dictionary<string, double> SharesOf(JsonObject profile)
    {
        lock (profile)
        {
            // Without weights the enabled ones have equal shares: distances are not simulated.
            var byWeight = (string?)profile["properties"]!["trafficRoutingMethod"] == "Weighted";
            var weights = Endpoints(profile).ToDictionary(
                endpoint => (string)endpoint["name"]!,
                endpoint => (string?)endpoint["properties"]!["endpointStatus"] == "Enabled"
                    ? byWeight ? (int)endpoint["properties"]!["weight"]! : 1
                    : 0);
            var all = (double)weights.Values.Sum();
            return weights.ToDictionary(one => one.Key, one => all == 0 ? 0 : one.Value / all);
        }
    }

    /// <summary>Whether an endpoint's gateway, whose name ends with the endpoint's, gets any traffic.</summary>
    public bool Reaches(string gateway)
    {
        var shares = Resources.Values.SelectMany(SharesOf).Where(share => gateway.EndsWith(share.Key, StringComparison.OrdinalIgnoreCase)).ToList();
        return shares.Count == 0 || shares.Exists(share => share.Value > 0);
    }

    protected override JsonObject Begin(ArmRequest request) => Envelope(request, TypeName, new JsonObject
    {
        ["profileStatus"] = "Enabled",
        ["trafficRoutingMethod"] = "Weighted",
        ["dnsConfig"] = new JsonObject { ["relativeName"] = request.Name, ["fqdn"] = $"{request.Name}.trafficmanager.net", ["ttl"] = 60 },
        ["monitorConfig"] = new JsonObject { ["profileMonitorStatus"] = "Online", ["protocol"] = "HTTPS", ["port"] = 443, ["path"] = "/healthz" },
        ["endpoints"] = new JsonArray(Endpoint(request, "cluster-a"), Endpoint(request, "cluster-b")),
    });

    private static JsonObject Endpoint(ArmRequest request, string name) => new()
    {
        ["id"] = $"{request.Root}/azureEndpoints/{name}",
        ["name"] = name,
        ["type"] = $"{TypeName}/azureEndpoints",
        ["properties"] = new JsonObject
        {
            ["endpointStatus"] = "Enabled",
            ["endpointMonitorStatus"] = "Online",
            ["target"] = $"{name}.practice.example",
            ["weight"] = 50,
            ["priority"] = name == "cluster-a" ? 1 : 2,
        },
    };

    private static IEnumerable<JsonObject> Endpoints(JsonObject profile) => profile["properties"]!["endpoints"]!.AsArray().OfType<JsonObject>();
}
