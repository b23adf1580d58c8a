using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Catalog.Problems;
using Runbooks.Catalog.Reading;
using Runbooks.Guardrails;
using Runbooks.Notifications;
using Runbooks.Testing;
using RunbookServer.Hosting;
using TestKit.Fuzz;

namespace RunbookServer.Tests.Fuzz;

/// <summary>Files that people write, damaged in every way: read, or refused with the line and the remedy; never an exception, and never much memory.</summary>
public sealed class FilesFuzzTests : IDisposable
{
    private const long MaxMemory = 100_000_000;

    /// <summary>As YAML counts lines.</summary>
    private static readonly string[] s_lineEnds = ["\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"];

    private const string Common = "people: { ada: { reach: [{ email: ada@example.com }] } }\ncontacts: { oncall: ada, fallback: ada }\n";

    private readonly ServiceProvider _services = OfflineServices.Build();

    [Theory]
    [InlineData("runbook")]
    [InlineData("contacts")]
    [InlineData("windows")]
    [InlineData("test")]
    [InlineData("team")]
    [InlineData("team-contacts")]
    public Task DamagedFile_IsReadOrRefusedWithLineAndRemedy(string kind) => Fuzzing.RunAsync(kind, Examples(kind), input =>
    {
        var text = Encoding.UTF8.GetString(input);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var (taken, errors, warnings) = Read(kind, text);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(MaxMemory);
        taken.ShouldBe(errors.Count == 0, "a file is taken, or refused with a reason");
        var lines = text.Split(s_lineEnds, StringSplitOptions.None).Length;
        foreach (var problem in errors.Concat(warnings))
        {
            problem.Line.ShouldBeInRange(1, lines + 1);
            problem.Problem.ShouldNotBeNullOrWhiteSpace();
            problem.ToString().Length.ShouldBeLessThan(4_500);
        }

        return Task.CompletedTask;
    });

    public void Dispose() => _services.Dispose();

    private (bool Taken, IReadOnlyList<CatalogError> Errors, IReadOnlyList<CatalogError> Warnings) Read(string kind, string text)
    {
        switch (kind)
        {
            case "runbook":
                var runbook = _services.GetRequiredService<RunbookReader>().Read("a.yaml", text);
                return (runbook.Runbook is not null, runbook.Errors, runbook.Warnings);
            case "contacts":
                var contacts = _services.GetRequiredService<ContactsFile>().Read("contacts.yaml", text, withSettings: false);
                return (contacts.Book is not null, contacts.Errors, contacts.Warnings);
            case "team":
                var team = TeamFile.Read(new("ml", new("ml/team.yaml", text), null));
                return (team.Team is not null, team.Errors, []);
            case "team-contacts":
                var own = _services.GetRequiredService<ContactsFile>().Read(new ContactFiles(new("contacts.yaml", Common), [new("ml", new("ml/team.yaml", ""), new("ml/contacts.yaml", text))]), withSettings: false);
                return (own.Book is not null, own.Errors, own.Warnings);
            case "windows":
                var windows = MaintenanceFile.Read("windows.yaml", text);
                return (windows.Errors.Count == 0, windows.Errors, windows.Warnings);
            default:
                var (script, errors) = TestScriptReader.Read("test.yaml", text);
                return (script is not null, errors, []);
        }
    }

    private static IEnumerable<byte[]> Examples(string kind) => kind switch
    {
        "runbook" => Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "runbooks"), "*.yaml").Order(StringComparer.Ordinal).Select(File.ReadAllBytes),
        "test" => Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "runbooks"), "test.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(File.ReadAllBytes),
        _ => [],
    };
}
