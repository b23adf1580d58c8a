using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using RunbookServer.Hosting;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>A host or a command that is told to stop by whatever started it: a shell, systemd, Kubernetes.</summary>
public sealed class StopTests : IDisposable
{
    /// <summary>After two seconds the library of the command line would end the process, were it not told otherwise.</summary>
    private static readonly TimeSpan s_longerThanUsual = TimeSpan.FromSeconds(3);

    private readonly string _data = Directory.CreateTempSubdirectory("runbooks-").FullName;

    [Fact]
    public async Task HostThatIsToldToStop_EndsWhatItIsDoingAndThenWithZero()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs a signal.");
        using var process = await StartAsync();
        try
        {
            var address = new Uri(await File.ReadAllTextAsync(Path.Combine(_data, ServerDefaults.AddressFile), Cancel));
            using var sender = new TcpClient(address.Host, address.Port);
            using var reader = new StreamReader(sender.GetStream());
            await SendAsync($"POST /api/alerts/generic HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {(await File.ReadAllTextAsync(Path.Combine(_data, ServerDefaults.KeyFile), Cancel)).Trim()}\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
            (await reader.ReadLineAsync(Cancel).AsTask().WaitAsync(Patience.Limit, Cancel)).ShouldBe("HTTP/1.1 100 Continue");

            using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            await Should.ThrowAsync<TimeoutException>(process.WaitForExitAsync(Cancel).WaitAsync(s_longerThanUsual, Cancel));
            await SendAsync("{}");
            await reader.ReadLineAsync(Cancel);

            (await reader.ReadLineAsync(Cancel).AsTask().WaitAsync(Patience.Limit, Cancel)).ShouldStartWith("HTTP/1.1 4");
            await process.WaitForExitAsync(Cancel).WaitAsync(Patience.Limit, Cancel);
            process.ExitCode.ShouldBe(0);

            Task SendAsync(string text) => sender.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text), Cancel).AsTask();
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    /// <summary>A script that goes on after && would take it for done.</summary>
    [Fact]
    public async Task CommandThatIsInterrupted_DoesNotEndAsDone()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs a signal.");
        var asked = new TaskCompletionSource();
        await using var host = await AnsweringHost.StartAsync(async context =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "runbook.dll"), "stop", "one", "--reason", "x", "--url", host.Address, "--key", "a-key"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        await asked.Task.WaitAsync(Patience.Limit, Cancel);

        using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        await process.WaitForExitAsync(Cancel).WaitAsync(Patience.Limit, Cancel);

        process.ExitCode.ShouldBe(130);
        (await process.StandardError.ReadToEndAsync(Cancel)).ShouldContain("Interrupted before it was done.");
    }

    /// <summary>Another program may take the free port before the host listens there.</summary>
    private async Task<Process> StartAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            var process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "runbook.dll"), "serve", "--port", "0", "--data", _data])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            while (await process.StandardOutput.ReadLineAsync(Cancel).AsTask().WaitAsync(Patience.Limit, Cancel) is { } line)
            {
                if (line.Contains("Ctrl+C stops", StringComparison.Ordinal))
                {
                    return process;
                }
            }

            attempt.ShouldBeLessThan(3, await process.StandardError.ReadToEndAsync(Cancel));
            process.Dispose();
        }
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
