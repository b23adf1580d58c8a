namespace Runbooks.Integrations.Disk;

internal interface IMachine
{
    string DisplayName { get; }

    /// <summary>Tells it from another machine where no parameter names it; null where one does.</summary>
    string? Identity { get; }

    string? Link { get; }

    Task<DiskSpace> SpaceAsync(string folder, CancellationToken cancellationToken);

    /// <summary>Counts what would be deleted, or deletes it. Never follows a link, and never leaves the file system.</summary>
    Task<TempFiles> TempFilesAsync(string folder, TimeSpan olderThan, bool delete, CancellationToken cancellationToken);

    Task<string?> CheckPermissionsAsync(CancellationToken cancellationToken);
}

/// <param name="Available">The bytes that programs can still write, without what the file system keeps for root: 5 % of a disk in ext4.</param>
internal sealed record DiskSpace(long Used, long Available, string? Mount)
{
    /// <summary>
    /// The share of what programs can have, as <c>df</c> counts it: at 100 they can write nothing more. Null where there is no room at
    /// all, as in /proc.
    /// </summary>
    public double? Percent => Used + Available == 0 ? null : Math.Round(100.0 * Used / (Used + Available), 1);
}

internal sealed record TempFiles(long Files, long Bytes)
{
    public override string ToString() => $"{Files:N0} {(Files == 1 ? "file" : "files")}, {Size.FormatBytes(Bytes)}";
}

internal sealed class Machines(ArmResources arm)
{
    public IMachine Find(string? id, StepContext context, TimeSpan? longestWait = null) =>
        id is null ? new LocalMachine(context.Time) : new VirtualMachine(arm, id, context, longestWait);
}

public abstract record MachineFolder
{
    [ArmResourceId("Microsoft.Compute/virtualMachines")]
    [Description("The virtual machine (Linux); the one that this runs on when left out.")]
    public string? Machine { get; init; }

    [Required, TempFolder]
    [Description("The folder: an absolute path.")]
    public required string Folder { get; init; }
}

/// <summary>
/// A Linux virtual machine, through run-command. The scripts are fixed. Only a path and a number of minutes are put in, and the path
/// has passed <see cref="TempFolder.IsPath"/>, so a shell cannot take it for anything else.
/// </summary>
internal sealed partial class VirtualMachine(ArmResources arm, string id, StepContext context, TimeSpan? longestWait) : IMachine
{
    public const string Role = "Virtual Machine Contributor";

    /// <summary>The script's output is in the operation alone, which is not below the machine.</summary>
    public const string Roles = $"{Role}, and Microsoft.Compute/locations/operations/read at its subscription";

    private static readonly string[] s_begin =
    [
        "set -u",
        "if [ ! -d \"$folder\" ]; then echo 'runbook: none'; exit 0; fi",
        // From here on the shell is in the folder: what is swapped under its path no longer matters.
        "if ! cd -P -- \"$folder\" || [ \"$(pwd -P)\" != \"$folder\" ]; then echo 'runbook: link'; exit 0; fi",
    ];

    // 'find -xdev' stays on the disk, but enters a part of the same disk that is mounted below.
    private const string Mounts =
        "if awk -v f=\"$folder\" '{m = $5} m == \"/\" || index(f \"/\", m \"/\") == 1 {if (length(m) >= l) {l = length(m); own = $3}} index(m, f \"/\") == 1 {below[$3]} "
        + "END {exit !(own in below)}' /proc/self/mountinfo; then echo 'runbook: mount'; exit 0; fi";

    internal const string Space = "df -P -B1 . | awk 'NR==2 {printf \"runbook: used=%s available=%s mount=%s\\n\", $3, $4, $6}'";
    // Not %d: some awks cut it at two gigabytes.
    private const string Sum = "awk '{n+=1; s+=$1} END {printf \"runbook: files=%.0f bytes=%.0f\\n\", n, s}'";
    private const string Find = "find -P . -xdev -type f -mmin +\"$minutes\"";

    private const int MostThrottled = 2;

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    private readonly ArmTarget _target = new(id, "2025-04-01", Role);

    public string DisplayName => _target.DisplayName;

    public string? Identity => null;

    public string? Link => _target.PortalLink;

    public async Task<DiskSpace> SpaceAsync(string folder, CancellationToken cancellationToken)
    {
        var found = SpaceLine().Match(await RunAsync(folder, [Space], "look at its disk", changes: false, cancellationToken));
        return found.Success
            ? new DiskSpace(Number(found, 1), Number(found, 2), found.Groups["mount"] is { Success: true } mount ? mount.Value : null)
            : throw Odd();
    }

    public async Task<TempFiles> TempFilesAsync(string folder, TimeSpan olderThan, bool delete, CancellationToken cancellationToken)
    {
        var what = delete ? "delete its old temporary files" : "count its old temporary files";
        var found = FilesLine().Match(await RunAsync(folder, TempFilesScript(olderThan, delete), what, changes: delete, cancellationToken));
        return found.Success ? new TempFiles(Number(found, 1), Number(found, 2)) : throw Odd();
    }

    public Task<string?> CheckPermissionsAsync(CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(_target, "Microsoft.Compute/virtualMachines/runCommand/action", cancellationToken);

    internal static string[] TempFilesScript(TimeSpan olderThan, bool delete) =>
    [
        $"minutes={(long)olderThan.TotalMinutes}",
        Mounts,
        $"{Find}{(delete ? " -delete" : "")} -printf '%s\\n' | {Sum}",
    ];

    internal static string[] ScriptIn(string folder, string[] script) => [$"folder='{folder}'", .. s_begin, .. script];

    private async Task<string> RunAsync(string folder, string[] script, string what, bool changes, CancellationToken cancellationToken)
    {
        if (!TempFolder.IsPath(folder))
        {
            throw new StepRefusedException($"'{folder}' is not a path that a script may be given.") { NothingDone = true };
        }

        var lines = ScriptIn(folder, script).Select(line => (JsonNode)line);
        var body = new JsonObject { ["commandId"] = "RunShellScript", ["script"] = new JsonArray([.. lines]) };
        var answer = await SendAsync(arm.Call(_target, RequestMethod.Post, what, body, "/runCommand"), changes, cancellationToken);
        if (answer.IsOnlyAccepted)
        {
            throw new AzureRequestException(
                $"{DisplayName} took the script to {what}, and what it said cannot be read. {answer.NotFollowed}".TrimEnd());
        }

        var said = Said(ArmResources.ReadObject(_target, answer.Body));
        if (said.Contains("runbook: none", StringComparison.Ordinal))
        {
            throw new StepRefusedException($"There is no folder {folder} on {DisplayName}.") { NothingDone = true };
        }

        if (said.Contains("runbook: link", StringComparison.Ordinal))
        {
            throw new StepRefusedException($"{folder} on {DisplayName} leads elsewhere: it is a link, or behind one.") { NothingDone = true };
        }

        if (said.Contains("runbook: mount", StringComparison.Ordinal))
        {
            throw new StepRefusedException($"Below {folder} on {DisplayName} a part of the same disk is mounted, "
                + "and what lies there is not temporary: unmount it, or delete by hand.") { NothingDone = true };
        }

        return said;
    }

    /// <summary>
    /// A machine runs one script at a time and answers 409 to others: another check's may be running, or one that nobody waits for any
    /// more. So it is asked again for a while. A machine that is off answers 409 as well, in other words.
    /// A script that only looks is also sent again where Azure has too many requests, as any other read is.
    /// </summary>
    /// <seealso href="https://learn.microsoft.com/azure/virtual-machines/linux/run-command"/>
    private async Task<AzureResponse> SendAsync(AzureRequest call, bool changes, CancellationToken cancellationToken)
    {
        var began = context.Time.GetTimestamp();
        var throttled = changes ? 0 : MostThrottled;
        while (true)
        {
            if (changes)
            {
                await context.EnsureNotPausedAsync(done: null, cancellationToken);
            }

            try
            {
                return await arm.SendAsync(call, context.Time, cancellationToken);
            }
            catch (AzureRequestException busy) when (busy.IsBusy
                && (busy.Status != 429 || (throttled > 0 && !(busy.RetryAfter > OutboundHttp.LongestRetryAfter)))
                && (longestWait is not { } longest || context.Time.GetElapsedTime(began) < longest))
            {
                var isThrottled = busy.Status == 429;
                throttled -= isThrottled ? 1 : 0;
                context.Progress.Report(
                    isThrottled ? busy.Message.TrimEnd('.') : $"{DisplayName} runs another script, and takes one at a time");
                var pause = busy.RetryAfter is { } asked && asked > s_pause && isThrottled ? asked : s_pause;
                await Task.Delay(pause, context.Time, cancellationToken);
            }
        }
    }

    // The output is in the operation, or in the body itself, depending on which address was followed.
    private static string Said(JsonObject answer) => string.Concat(
        ((answer["properties"]?["output"]?["value"] ?? answer["value"]) as JsonArray ?? []).Select(part => (string?)part?["message"]));

    private AzureRequestException Odd() => new($"The script on {DisplayName} did not say what it should have.");

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"runbook: used=(\d{1,18}) available=(\d{1,18})(?: mount=(?<mount>/[A-Za-z0-9/._-]{0,200}))?",
        RegexOptions.NonBacktracking)]
    private static partial Regex SpaceLine();

    [GeneratedRegex(@"runbook: files=(\d{1,18}) bytes=(\d{1,18})", RegexOptions.NonBacktracking)]
    private static partial Regex FilesLine();
}
