namespace Infra.Tests;

public class ExportScriptTests
{
    /// <summary>Whoever has to keep decisions for years cannot take them out of the tables.</summary>
    [Fact]
    public async Task EveryPage_IsKeptWithDocumentAndRecordOfEachIncident()
    {
        using var shell = new Shell("exit 0", ("RUNBOOKS_KEY", "k3y"));
        shell.Write("curl", """
            [ "$(cat "$3")" = $'header = "x-functions-key: k3y"\nheader = "X-Api-Key: k3y"' ] || exit 22
            case "$*" in
              *k3y*) exit 22 ;;
              *"/api/incidents?state=final&limit=100") echo '{"incidents":[{"id":"i-1"},{"id":"i-2"}],"next":"a b"}' ;;
              *"/api/incidents?state=final&limit=100&after=a%20b") echo '{"incidents":[{"id":"i-3"}],"next":null}' ;;
              *"/audit") echo "record of $4" ;;
              *) echo "document of $4" ;;
            esac
            """);
        var folder = Directory.CreateTempSubdirectory("export-");
        try
        {
            await shell.RunAsync("infra/scripts/export-incidents.sh", "https://app", folder.FullName);

            Directory.EnumerateFiles(folder.FullName).Select(file => $"{Path.GetFileName(file)}: {File.ReadAllText(file).Trim()}").Order(StringComparer.Ordinal).ShouldBe(
            [
                "i-1.json: document of https://app/api/incidents/i-1", "i-1.jsonl: record of https://app/api/incidents/i-1/audit",
                "i-2.json: document of https://app/api/incidents/i-2", "i-2.jsonl: record of https://app/api/incidents/i-2/audit",
                "i-3.json: document of https://app/api/incidents/i-3", "i-3.jsonl: record of https://app/api/incidents/i-3/audit",
            ]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
