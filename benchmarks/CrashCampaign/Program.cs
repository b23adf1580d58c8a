using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using CrashCampaign;

// CrashCampaign [KILLS=1000] [--seed N] [--at-once 24] [--alive MS] [--check-every KILLS] [--storage azure] [--account CONNECTION]
// Kills the built RunbookServer with SIGKILL again and again while senders and people use it, lets it come to rest from time to
// time, and compares what was answered with what became of it. The account has to be empty. Prints JSON; ends with 1 when something was not kept.
var kills = args.Length > 0 && !args[0].StartsWith('-') ? Number(args[0]) : 1_000;
var seed = Number(Option("--seed") ?? $"{Environment.TickCount & 0xFFFF}");
var azure = Option("--storage") == "azure";
var atOnce = Number(Option("--at-once") ?? "24");
var alive = Number(Option("--alive") ?? (azure ? "6000" : "4000"));
var checkEvery = Number(Option("--check-every") ?? (azure ? "10" : "40"));
var account = azure ? Option("--account") ?? "UseDevelopmentStorage=true" : null;

var clock = Stopwatch.StartNew();
var random = new Random(seed);
var (killed, stories, violations) = (0, 0, new List<string>());
var (endings, figures, sent) = (new SortedDictionary<string, int>(), new SortedDictionary<string, int>(), new SortedDictionary<string, int>());
await using var world = await World.StartAsync(account);
Console.Error.WriteLine($"seed {seed}; everything is kept in {world.Home}");
foreach (var server in world.Servers)
{
    server.Launch();
    await server.WellAsync();
}

while (killed < kills && violations.Count < 20)
{
    await RoundAsync();
    Console.Error.WriteLine($"{clock.Elapsed:hh\\:mm\\:ss}  {killed} kills, {stories} stories, {violations.Count} violations");
}

Console.WriteLine(JsonSerializer.Serialize(
    new
    {
        machine = $"{Environment.ProcessorCount} cores, {Environment.OSVersion}, .NET {Environment.Version}",
        storage = azure ? "azure, two processes" : "sqlite",
        seed,
        kills = killed,
        seconds = (int)clock.Elapsed.TotalSeconds,
        stories,
        requests = sent,
        endings,
        figures,
        violations,
    },
    new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
return violations.Count == 0 ? 0 : 1;

async Task RoundAsync()
{
    var ledger = new Ledger();
    var driver = new Driver(world, ledger, TimeSpan.FromMinutes(azure ? 6 : 3));
    var (told, failures, open) = (new ConcurrentQueue<Plan>(), new ConcurrentQueue<string>(), true);
    var tellers = Enumerable.Range(0, atOnce).Select(_ => Task.Run(async () =>
    {
        while (Volatile.Read(ref open))
        {
            var plan = Plan.Of(seed, Interlocked.Increment(ref stories));
            told.Enqueue(plan);
            if (await driver.TellAsync(plan) is { } failure)
            {
                failures.Enqueue(failure);
            }
        }
    })).ToList();
    for (var last = Math.Min(kills, killed + checkEvery); killed < last; killed++)
    {
        // One of eight is killed while it starts.
        var victim = world.Servers[random.Next(world.Servers.Length)];
        if (random.Next(8) > 0)
        {
            await victim.WellAsync();
        }

        await Task.Delay(random.Next(alive));
        await victim.KillAsync();
        ledger.Killed();
        victim.Launch();
    }

    open = false;
    await Task.WhenAll(tellers);
    await Task.WhenAll(world.Servers.Select(server => server.WellAsync()));
    var checker = new Checker(world, ledger);
    await checker.CheckAsync([.. told]);
    foreach (var violation in failures.Concat(checker.Violations))
    {
        violations.Add(violation);
        Console.Error.WriteLine(violation);
    }

    Add(endings, checker.Endings);
    Add(figures, checker.Figures);
    Add(sent, ledger.Sent.GroupBy(each => $"{each.What} {(each.Unknown ? "without an answer" : (int)each.Answer.Status)}").ToDictionary(group => group.Key, group => group.Count()));

    // The pods of stories that are over only make the sandbox slow.
    using var reset = await world.Sandbox.PostAsync(new Uri("_sandbox/reset", UriKind.Relative), null);
}

static void Add(SortedDictionary<string, int> to, IReadOnlyDictionary<string, int> more)
{
    foreach (var (what, count) in more)
    {
        to[what] = to.GetValueOrDefault(what) + count;
    }
}

string? Option(string option) => Array.IndexOf(args, option) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
