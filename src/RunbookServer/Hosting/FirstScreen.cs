using Runbooks.Model.Definition;
using RunbookServer.Terminal;

namespace RunbookServer.Hosting;

/// <summary>What a person sees when the host has started: what is loaded, where the console is, what to try next.</summary>
internal static class FirstScreen
{
    public static void Show(LocalSettings settings, IReadOnlyList<Runbook> runbooks, string folder, Uri address, PracticeWorld? range)
    {
        Screen.Line();
        Screen.Line($"[bold]{runbooks.Count} {(runbooks.Count == 1 ? "runbook" : "runbooks")}[/] from {Screen.Plain(Relative(folder))}");
        foreach (var runbook in runbooks)
        {
            Screen.Line($"  [green]{Screen.Plain(runbook.Id),-22}[/] {Screen.Plain(runbook.Title)}[grey]{Mode(runbook)}[/]");
        }

        var key = Relative(Path.Combine(settings.DataDirectory, LocalDefaults.KeyFile));
        Screen.Line();
        Screen.Raw($"  Console   {address}");
        Screen.Raw($"  API key   {key}");
        if (settings.Storage == StorageKind.Azure)
        {
            Screen.Raw("  Storage   a storage account that other processes may share: any of them answers, and one that dies is followed by the others");
        }

        if (range is not null)
        {
            var whose = range.IsShared ? "the practice range of another process" : "a practice range";
            Screen.Raw($"  Practice  on: the integrations talk to {whose} on {range.Address}; nothing real is touched");
            Screen.Raw($"  Messages  {Relative(settings.OutboxDirectory)}, each with its approval link");
            Screen.Line();
            Screen.Line("[bold]Try this[/] in another terminal:");
            Screen.Raw($"  dotnet run --project src/RunbookServer -- fire hanged-gpu{Options(settings, address)}");
            Screen.Line("or, as Azure Monitor does it:");
            Screen.Raw($"  curl -sS {address}api/alerts/azure-monitor -H \"X-Api-Key: $(cat {key})\" -d @src/RunbookServer/Samples/hanged-gpu.azure-monitor.json");
        }

        Screen.Line();
        Screen.Raw("  Ctrl+C stops; open incidents go on at the next start.");
        Screen.Line();
    }

    private static string Mode(Runbook runbook) => runbook switch
    {
        { Mode: RunMode.DryRun } => " (dry run)",
        { Mitigation.Approval: null } => " (heals by itself)",
        _ => "",
    };

    private static string Options(LocalSettings settings, Uri address)
    {
        var url = address.Port == LocalDefaults.Port ? "" : $" --url {address}";
        var data = Relative(settings.DataDirectory) == LocalDefaults.DataDirectory ? "" : $" --data {Relative(settings.DataDirectory)}";
        return url + data;
    }

    private static string Relative(string path) => Path.GetRelativePath(".", path) is var relative && relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
}
