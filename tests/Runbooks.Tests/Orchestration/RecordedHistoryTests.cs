using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runbooks.Model.Incidents;
using Runbooks.Orchestration;
using TestKit.Incidents;
using TestKit.Orchestration;

namespace Runbooks.Tests.Orchestration;

/// <summary>
/// Incidents that wait are replayed by whatever program is started next. So every kind of story is kept as it was recorded,
/// and has to replay without a difference. Record new stories with <c>UPDATE_HISTORIES=1</c>.
/// </summary>
public sealed class RecordedHistoryTests
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    public static TheoryData<string> Names => [.. Stories.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task RecordedStory_ReplaysWithoutADifference(string story)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_HISTORIES") == "1" && !IsRecorded(story))
        {
            await RecordAsync(story);
        }

        File.Exists(PathOf(story)).ShouldBeTrue($"The story '{story}' is not recorded. Record it with UPDATE_HISTORIES=1.");
        var recorded = JsonNode.Parse(await File.ReadAllTextAsync(PathOf(story), TestContext.Current.CancellationToken))!;

        recorded["version"]!.ToString().ShouldBe(IncidentOrchestrator.Version, "Delete the histories of the older version, and record them again.");
        HistoryReplay.FindDifference(HistoryReplay.Read(recorded["events"]!.ToJsonString()), IncidentOrchestrator.Name, () => new IncidentOrchestrator())
            .ShouldBeNull($"Incidents that wait now would break over this change. Keep the old path for them, or raise {nameof(IncidentOrchestrator)}.{nameof(IncidentOrchestrator.Version)}: then they end as failed and page their owners.");
    }

    [Fact]
    public void EveryRecordedStory_IsStillTold() =>
        Directory.EnumerateFiles(PathOf(".."), "*.json").Select(Path.GetFileNameWithoutExtension).ShouldBe(Stories.All.Keys, ignoreOrder: true);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task StoryToldNow_ReplaysWithoutADifference(string story)
    {
        await using var world = new IncidentWorld(new WorldHubOptions { ReplayEveryTurn = false });

        var ended = await Stories.All[story](world);

        ended.State.IsFinal().ShouldBeTrue();
        HistoryReplay.FindDifference(await world.Engine.HistoryAsync(ended.Id), IncidentOrchestrator.Name, () => new IncidentOrchestrator()).ShouldBeNull();
    }

    private static async Task RecordAsync(string story)
    {
        await using var world = new IncidentWorld();
        var ended = await Stories.All[story](world);
        var file = new JsonObject { ["version"] = IncidentOrchestrator.Version, ["events"] = JsonNode.Parse(await world.Engine.HistoryJsonAsync(ended.Id)) };
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(story))!);
        await File.WriteAllTextAsync(PathOf(story), file.ToJsonString(s_indented) + "\n");
    }

    /// <summary>A history of this version is never written over: what differs from it is a break, not news.</summary>
    private static bool IsRecorded(string story) =>
        File.Exists(PathOf(story)) && JsonNode.Parse(File.ReadAllText(PathOf(story)))!["version"]!.ToString() == IncidentOrchestrator.Version;

    private static string PathOf(string story, [CallerFilePath] string here = "") =>
        story == ".." ? Path.Combine(Path.GetDirectoryName(here)!, "Histories") : Path.Combine(Path.GetDirectoryName(here)!, "Histories", story + ".json");
}
