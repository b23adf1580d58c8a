using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Azure.Core;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;

namespace Runbooks.Integrations.Disk;

/// <summary>
/// A Linux virtual machine, through run-command. The scripts are fixed; a path and a number of minutes are all that is
/// put in, and the path has passed <see cref="TempFolder.IsPath"/>: there is nothing in it that a shell could take for more.
/// </summary>
internal sealed partial class VirtualMachine(ArmResources arm, string id, TimeProvider time) : IMachine
{
    public const string Role = "Virtual Machine Contributor";

    private static readonly string[] s_begin =
    [
        "set -u",
        "if [ ! -d \"$folder\" ]; then echo 'runbook: none'; exit 0; fi",
        "if [ \"$(readlink -f -- \"$folder\")\" != \"$folder\" ]; then echo 'runbook: link'; exit 0; fi",
    ];

    private const string Space = "df -P -B1 -- \"$folder\" | awk 'NR==2 {printf \"runbook: used=%s size=%s\\n\", $3, $2}'";
    // Not %d: some awks end it at two gigabytes.
    private const string Sum = "awk '{n+=1; s+=$1} END {printf \"runbook: files=%.0f bytes=%.0f\\n\", n, s}'";
    private const string Find = "find -P \"$folder\" -xdev -type f -mmin +\"$minutes\"";

    private readonly ArmTarget _target = new(id, "2025-04-01", Role);

    public string Words => _target.Words;

    public string? Link => _target.PortalLink;

    public async Task<DiskSpace> SpaceAsync(string folder, CancellationToken cancellationToken)
    {
        var found = SpaceLine().Match(await RunAsync(folder, 0, [Space], "look at its disk", cancellationToken));
        return found.Success ? new DiskSpace(Number(found, 1), Number(found, 2)) : throw Odd();
    }

    public async Task<TempFiles> TempFilesAsync(string folder, TimeSpan olderThan, bool delete, CancellationToken cancellationToken)
    {
        var script = delete ? $"{Find} -delete -printf '%s\\n' | {Sum}" : $"{Find} -printf '%s\\n' | {Sum}";
        var found = FilesLine().Match(await RunAsync(
            folder, (long)olderThan.TotalMinutes, [script], delete ? "delete its old temporary files" : "count its old temporary files", cancellationToken));
        return found.Success ? new TempFiles(Number(found, 1), Number(found, 2)) : throw Odd();
    }

    public Task<string?> CheckPermissionsAsync(CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(_target, "Microsoft.Compute/virtualMachines/runCommand/action", cancellationToken);

    private async Task<string> RunAsync(string folder, long minutes, string[] script, string what, CancellationToken cancellationToken)
    {
        if (!TempFolder.IsPath(folder))
        {
            throw new StepRefusedException($"'{folder}' is not a path that a script may be given.");
        }

        string[] lines = [$"folder='{folder}'", string.Create(CultureInfo.InvariantCulture, $"minutes={minutes}"), .. s_begin, .. script];
        var body = new JsonObject { ["commandId"] = "RunShellScript", ["script"] = new JsonArray([.. lines.Select(line => (JsonNode)line)]) };
        var answer = await arm.SendAsync(arm.Call(_target, RequestMethod.Post, what, body, "/runCommand"), time, cancellationToken);
        var said = Said(ArmResources.ReadObject(_target, answer.Body));
        return said.Contains("runbook: none", StringComparison.Ordinal) ? throw new StepRefusedException($"There is no folder {folder} on {Words}.")
            : said.Contains("runbook: link", StringComparison.Ordinal) ? throw new StepRefusedException($"{folder} on {Words} leads elsewhere: it is a link, or behind one.")
            : said;
    }

    // As the operation's output, or as the body itself, depending on which address was followed.
    private static string Said(JsonObject answer) => string.Concat(
        ((answer["properties"]?["output"]?["value"] ?? answer["value"]) as JsonArray ?? []).Select(part => (string?)part?["message"]));

    private AzureRequestException Odd() => new($"The script on {Words} did not say what it should have.");

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"runbook: used=(\d{1,18}) size=(\d{1,18})", RegexOptions.NonBacktracking)]
    private static partial Regex SpaceLine();

    [GeneratedRegex(@"runbook: files=(\d{1,18}) bytes=(\d{1,18})", RegexOptions.NonBacktracking)]
    private static partial Regex FilesLine();
}
