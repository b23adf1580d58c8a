using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Converters;
using Microsoft.DurableTask.Testing;
using Microsoft.DurableTask.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RunbookFunctions.Durable;
using Runbooks.Engine;
using TestKit.Engine;

namespace RunbookFunctions.Tests.Durable;

/// <summary>The adapter over Durable Task's own in-process host: real protocol, real time, state in memory.</summary>
internal sealed class InProcessHarness : IEngineHarness
{
    private const string Any = "contract";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly JsonDataConverter s_json = new(DurableJson.Options);

    private readonly DurableTaskTestHost _host;
    private readonly DurableClients _clients = new();
    private readonly DurableIncidentEngine _engine;

    private InProcessHarness(DurableTaskTestHost host)
    {
        _host = host;
        _engine = new DurableIncidentEngine(_clients);
    }

    public static async Task<InProcessHarness> OpenAsync(WorkflowTable workflows, ActivityTable activities, ILoggerFactory logs) =>
        new(await DurableTaskTestHost.StartAsync(
            tasks =>
            {
                tasks.AddOrchestratorFunc<Start, JsonElement>(Any, async (context, start) =>
                {
                    workflows.TryFind(start.Workflow, out var workflow);
                    return JsonElement.Parse(await workflow!.RunAsync(new DurableWorkflowContext(context), start.Input.GetRawText()));
                });
                foreach (var name in activities.Names)
                {
                    activities.TryFind(name, out var activity);
                    tasks.AddActivityFunc<JsonElement, JsonElement>(name, async (_, input) => JsonSerializer.SerializeToElement(
                        await activity!.RunAsync(input.Deserialize(activity.Input, DurableJson.Options), CancellationToken.None), activity.Output, DurableJson.Options));
                }
            },
            new DurableTaskTestHostOptions
            {
                Port = FreePort(),
                LoggerFactory = logs,
                ConfigureServices = services => services
                    .Configure<DurableTaskWorkerOptions>(options => options.DataConverter = s_json)
                    .Configure<DurableTaskClientOptions>(options => options.DataConverter = s_json),
            }));

    public Task StartAsync<TIn>(string workflow, string id, TIn input) => _clients.UseAsync(_host.Client, () => _engine.StartAsync(
        Any, id, new Start(workflow, JsonSerializer.SerializeToElement(input, DurableJson.Options)), CancellationToken.None));

    public Task RaiseAsync(string id, string name) => _clients.UseAsync(_host.Client, () => _engine.WakeAsync(id, name, CancellationToken.None));

    public async Task AdvanceAsync(TimeSpan by)
    {
        await Task.Delay(by);
        await SettleAsync();
    }

    /// <summary>Quiet is when all have begun and nothing has been updated for a while: the host has no word for it.</summary>
    public async Task SettleAsync()
    {
        var (seen, quiet, begun) = ("", 0, false);
        while (quiet < 4 || !begun)
        {
            await Task.Delay(50);
            var now = new List<string>();
            begun = true;
            await foreach (var instance in _host.Client.GetAllInstancesAsync())
            {
                begun &= instance.RuntimeStatus != OrchestrationRuntimeStatus.Pending;
                now.Add($"{instance.InstanceId} {instance.RuntimeStatus} {instance.LastUpdatedAt.Ticks}");
            }

            var state = string.Join('\n', now.Order(StringComparer.Ordinal));
            (seen, quiet) = (state, state == seen ? quiet + 1 : 0);
        }
    }

    public async Task<EngineEnd> WaitForEndAsync(string id)
    {
        using var patience = new CancellationTokenSource(Patience);
        var end = await _host.Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true, patience.Token);
        return new EngineEnd(DurableIncidentEngine.StatusOf(end.RuntimeStatus), end.FailureDetails?.ErrorMessage ?? end.SerializedOutput);
    }

    public Task<EngineStatus?> StatusAsync(string id) => _clients.UseAsync(
        _host.Client, async () => (await _engine.FindAsync(id, CancellationToken.None))?.Status);

    public async Task<string?> CustomStatusAsync(string id) =>
        (await _host.Client.GetInstanceAsync(id, getInputsAndOutputs: true))?.SerializedCustomStatus;

    public Task CrashAsync()
    {
        // Its hub is in memory as well. A second worker on the same hub is no way out: the hub loses what it was handing to the first.
        Assert.Skip("The in-process host keeps its state in memory and cannot crash; the tests against a running host kill that one.");
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    /// <summary>The host's own choice is a number between 30,000 and 40,000, taken or not.</summary>
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed record Start(string Workflow, JsonElement Input);
}
