namespace LoadDriver;

/// <summary>The same story here and on Restate, one after the other on the same machine, at 1, 50 and 200 at once.</summary>
internal static class Comparison
{
    /// <summary>One at a time comes last: by then everything is compiled.</summary>
    private static readonly (int AtOnce, int Part)[] s_rounds = [(200, 1), (50, 1), (1, 10)];

    public static async Task<object> MeasureAsync(string server, int incidents)
    {
        var measured = new Dictionary<string, List<Throughput>>();
        await AddAsync(await Host.StartAsync(server));
        if (await Restate.StartAsync() is { } restate)
        {
            await AddAsync(restate);
            var ours = measured.Values.First();
            Machine.Table("RunbookServer beside Restate", [["at once", "rate", "approval to end", "processor time"], .. ours.Zip(measured.Values.Last(), Times)]);
        }

        return measured;

        async Task AddAsync(IStories stories)
        {
            await using (stories)
            {
                await Load.StoriesAsync(stories, "warm", 4000, 200);
                var rounds = measured[stories.Name] = [];
                foreach (var (atOnce, part) in s_rounds)
                {
                    rounds.Insert(0, await Load.StoriesAsync(stories, $"at-{atOnce}", incidents / part, atOnce));
                }

                Machine.Table(stories.Name, [
                    ["at once", "per second", "approval to end, p50", "p99", "processor ms each"],
                    .. rounds.Select(round => (string[])[$"{round.AtOnce}", Machine.Text(round.PerSecond), $"{Machine.Text(round.ApprovalToEnd.P50)} ms", $"{Machine.Text(round.ApprovalToEnd.P99)} ms", Machine.Text(round.ProcessorEach)])]);
            }
        }

        static string[] Times(Throughput ours, Throughput theirs) =>
            [$"{ours.AtOnce}", $"{Machine.Text(ours.PerSecond / theirs.PerSecond)} times", $"{Machine.Text(ours.ApprovalToEnd.P50 / theirs.ApprovalToEnd.P50)} times", $"{Machine.Text(ours.ProcessorEach / theirs.ProcessorEach)} times"];
    }
}
