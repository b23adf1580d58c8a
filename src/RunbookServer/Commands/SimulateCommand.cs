using System.CommandLine;
using System.Text;
using System.Text.Json;
using Runbooks.Catalog;
using Runbooks.Catalog.Matching;
using Runbooks.Catalog.Steps;
using Runbooks.Engine;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Testing;
using Runbooks.Testing.Simulation;
using RunbookServer.Hosting;
using RunbookServer.Simulation;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>runbook simulate RUNBOOK --alert FILE</c>: what would happen. No host has to run, and nothing outside is touched.</summary>
internal static class SimulateCommand
{
    public static Command Build()
    {
        var runbook = new RunbookArgument();
        var alert = new Option<string>("--alert") { Description = "A file with an alert as its sender posts it, or the name of a sample (see: runbook fire).", Required = true };
        var source = SampleAlerts.SourceOption();
        var assumed = new AssumptionOptions();
        var json = new Option<bool>("--json") { Description = "As JSON, for another program." };
        var command = new Command("simulate", "Shows what a runbook would do about an alert: whom it asks when, and every step with its parameters. Touches nothing.");
        runbook.AddTo(command);
        command.Add(alert);
        command.Add(source);
        assumed.AddTo(command);
        command.Add(json);
        command.SetAction(async (parsed, _) =>
        {
            await using var services = OfflineServices.Build();
            var chosen = runbook.Load(parsed, services.GetRequiredService<RunbookCatalog>());
            var alerts = Read(services.GetRequiredService<AlertReader>(), parsed.GetRequiredValue(alert), parsed.GetValue(source));
            var report = await ReportAsync(chosen, alerts, assumed.Of(parsed, chosen), services.GetRequiredService<StepCatalog>());
            if (parsed.GetValue(json))
            {
                Screen.Json(JsonSerializer.SerializeToNode(report, DurableJson.Options));
            }
            else
            {
                Screen.Raw(ReportText.Of(report).TrimEnd());
            }

            return report is { Applies: true, Problems.Count: 0 } ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static async Task<SimulationReport> ReportAsync(Runbook runbook, IReadOnlyList<Alert> alerts, Assumptions assumed, StepCatalog real)
    {
        var fitting = alerts.Where(alert => RunbookMatcher.Misses(alert, runbook).Count == 0).ToList();
        if (fitting.Count == 0)
        {
            return SimulationReport.NotApplying(runbook, alerts[0]);
        }

        try
        {
            return new ReportMaker(runbook, await Simulator.PlayAsync(runbook, fitting, assumed, real), real).Make();
        }
        catch (TestCaseException nothing)
        {
            throw new CommandException($"There is nothing to simulate: {nothing.Message} Simulate with an alert that fires.", ExitCode.Failed);
        }
    }

    private static IReadOnlyList<Alert> Read(AlertReader reader, string name, string? source)
    {
        var (sender, body) = SampleAlerts.Read(name, source);
        var parsed = reader.Read(sender, Encoding.UTF8.GetBytes(body));
        return parsed.IsRefused
            ? throw new CommandException($"{name} is not what {sender} sends.\n{string.Join("\n", parsed.Errors)}", ExitCode.Failed)
            : parsed.Alerts;
    }
}
