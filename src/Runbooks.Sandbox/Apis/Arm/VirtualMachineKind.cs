using System.Globalization;
using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>
/// Virtual machines with a disk that is almost full, mostly of old temporary files. It runs no script: it recognises the
/// ones that look, count and delete by what they print.
/// </summary>
internal sealed class VirtualMachineKind() : ArmKind("microsoft.compute/virtualmachines")
{
    private const long Size = 64L * 1024 * 1024 * 1024;

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
        machine["_disk"] = new JsonObject { ["other"] = Size / 100 * 52, ["tempFiles"] = 12_408, ["tempBytes"] = Size / 100 * 42, ["folder"] = "/var/tmp" };
        return machine;
    }

    private static string Run(JsonObject machine, List<string> lines)
    {
        var disk = machine["_disk"]!.AsObject();
        if (!lines.Contains($"folder='{disk["folder"]}'"))
        {
            return "runbook: none";
        }

        lock (disk)
        {
            var (files, bytes) = (disk["tempFiles"]!.GetValue<int>(), Long(disk["tempBytes"]!));
            if (lines.Exists(line => line.StartsWith("df ", StringComparison.Ordinal)))
            {
                return string.Create(CultureInfo.InvariantCulture, $"runbook: used={Long(disk["other"]!) + bytes} size={Size}");
            }

            if (lines.Exists(line => line.Contains("-delete", StringComparison.Ordinal)))
            {
                (disk["tempFiles"], disk["tempBytes"]) = (0, 0L);
            }

            return string.Create(CultureInfo.InvariantCulture, $"runbook: files={files} bytes={bytes}");
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
